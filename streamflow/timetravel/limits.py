"""How long a replay for a page may take, and how a step that never yields is ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from streamflow.coroutine.errors import StepLimitExceeded
from streamflow.processor.host.watchdog import clear_exception, raise_in
from streamflow.thread_identity import thread_ident


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Of one question for a step."""

    seconds: float = 5.0
    """After so long a replay stops between two steps; asked again, it goes on from there."""
    step_seconds: float = 2.0
    """One step of the code gets so long beyond that; then it is interrupted."""
    states_kept: int = 32
    """States that are kept for stepping back and forth; at least 2, as a step is compared with the one before."""
    players_kept: int = 3
    """Coroutines of one run that are kept, each at another step."""
    window: int = 12
    """Steps before the one that is asked for whose states are kept as well, as going back is likely."""


LIMITS = Limits()


class Deadline:
    """Until when a replay may go on."""

    def __init__(self, seconds: float) -> None:
        self._until_s = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self._until_s


@contextmanager
def interrupted_after(seconds: float) -> Generator[None]:
    """Raises `StepLimitExceeded` in this thread if the block lasts longer."""
    thread_id, lock = thread_ident(), threading.Lock()
    state = {"open": True, "raised": False}

    def interrupt() -> None:
        with lock:
            if state["open"]:
                state["raised"] = True
                raise_in(thread_id, StepLimitExceeded.of_limit(seconds))

    timer = threading.Timer(seconds, interrupt)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        with lock:
            state["open"] = False
            if state["raised"]:
                # One that was not delivered yet must not hit whatever comes next.
                clear_exception(thread_id)
