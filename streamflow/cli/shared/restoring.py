"""A bar at the foot of a terminal while workers restore their partitions from the log for longer than a moment.

Where there is no terminal, the processors' own log says it now and then: `partition_restoring`, `partition_restored`.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self, TextIO

from streamflow.cli.shared.footer import Footer
from streamflow.cli.shared.progress import REDRAW_S, told, with_bar
from streamflow.cli.shared.terminal import is_in_front

if TYPE_CHECKING:
    from streamflow.model.processes import RestoreProgress

SHOWN_AFTER_S = 1.5
"""A restore that takes less is not worth a bar."""
LOOK_S = 0.5
"""How often somebody looks whether there is one."""


class Restored(Protocol):
    """A worker, as far as it is watched."""

    @property
    def task_queue(self) -> str: ...
    def restore_progress(self) -> RestoreProgress | None: ...


class RestoreBar:
    """Used as a context, around all that the workers do: what they log goes to `logs`."""

    def __init__(
        self, *, to: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Draws on stderr, where that is a terminal with this process in front."""
        terminal = sys.stderr if to is None else to
        self._footer = Footer(terminal) if to is not None or is_in_front(terminal) else None
        self._clock = clock
        self._begun_s: float | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self.logs = terminal if self._footer is None else self._footer.above(terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join()

    def watch(self, workers: Sequence[Restored]) -> None:
        """Shows how far these are from now on."""
        if self._footer is not None:
            # A thread, as the event loop is the activities', and asking may wait for the log.
            self._thread = threading.Thread(
                target=self._run, args=(workers,), name="restore bar", daemon=True
            )
            self._thread.start()

    def _run(self, workers: Sequence[Restored]) -> None:
        assert self._footer is not None
        try:
            while not self._ending.wait(LOOK_S if self._begun_s is None else REDRAW_S):
                self.look(workers)
        finally:
            self._footer.hide()

    def look(self, workers: Sequence[Restored]) -> None:
        """Draws the bar as it is for these now, or takes it away."""
        assert self._footer is not None
        found = {
            worker.task_queue: progress
            for worker in workers
            if (progress := worker.restore_progress()) is not None
        }
        if not found:
            self._begun_s = None
            self._footer.hide()
            return
        if self._begun_s is None:
            self._begun_s = self._clock()
        elapsed_s = self._clock() - self._begun_s
        if elapsed_s >= SHOWN_AFTER_S:
            self._footer.show(_line(found, elapsed_s))


def _line(found: dict[str, RestoreProgress], elapsed_s: float) -> str:
    """Offsets are what can be counted: some of them may be no records any more."""
    what = next(iter(found)) if len(found) == 1 else f"{len(found)} queues"
    done = sum(progress.offsets_read for progress in found.values())
    total = sum(progress.offsets for progress in found.values())
    if not total:
        return f"restoring {what}"  # waits for a snapshot, or is about to end
    return with_bar(told(f"restoring {what}", done, total, elapsed_s), done, total)
