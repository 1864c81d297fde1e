"""Interrupts a step that takes too much CPU, and ends the process when even that does not help.

One thread looks at the step under way every few tens of milliseconds. CPU time counts, not wall time: a machine that is
merely busy, or a process that was paused, makes nobody guilty.

C code that keeps the interpreter's lock starves that thread too. So it also keeps winding a CPU-time timer of the process
(``ITIMER_PROF``) whose signal ends it: a thread that cannot wind it any more has been starved for that long.

Whose step it is stands in a small mapped file of the state folder. A process that ended within a step finds the
workflow's name there when it starts again; one that did so several times is put aside instead of being tried again.
"""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import hashlib
import json
import mmap
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.coroutine.errors import StepLimitExceeded
from streamflow.observability import get_logger
from streamflow.thread_identity import thread_ident

log = get_logger("processor")

TICK_S = 0.05
WIND_S = 0.5
BLOCKS_S = 10.0
"""A step that has lasted so long, be it without computing, is told of: code that waits in a lock cannot be interrupted."""
EXIT_CODE = 70
STDERR = 2
"""Where the stacks go when the process ends. The descriptor, because `sys.stderr` may have none: tests, notebooks and services replace it."""
MARK_BYTES = 40


@dataclass(slots=True)
class _Watched:
    """A thread that makes steps, and the step it is in. Entering and leaving is in every step's way, so it is cheap:
    the CPU clock is read by the watchdog, when it first sees a step."""

    thread_id: int
    cpu_clock: int
    lock: threading.Lock
    suspects: Suspects
    run_id: str = ""
    step: int = 0
    seen_step: int = 0
    began_cpu_s: float = 0.0
    began_s: float = 0.0
    told: bool = False
    """That it keeps its thread waiting."""
    interrupted: bool = False
    exit_deadline_s: float = 0.0

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None:
        try:
            self._leave()
        except StepLimitExceeded:
            # It was delivered between the step's end and here: the step did end.
            self._leave()

    def _leave(self) -> None:
        with self.lock:
            self.run_id = ""
            if self.interrupted:
                # An interruption that was not delivered yet must not hit whatever comes next.
                clear_exception(self.thread_id)
                self.interrupted = False
        self.suspects.left()


class Watchdog:
    """Watches the steps of one processor's thread."""

    def __init__(
        self, *, limit_ms: int, exit_after_ms: int, suspects: Suspects, blocks_s: float = BLOCKS_S
    ) -> None:
        self._blocks_s = blocks_s
        self._limit_s = limit_ms / 1000
        self._interruption = StepLimitExceeded.of_limit(self._limit_s)
        self._exit_after_s = exit_after_ms / 1000
        self._suspects = suspects
        self._watched: _Watched | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, run_id: str, suspect: str = "") -> contextlib.AbstractContextManager[None]:
        """The step in this block may be interrupted by `StepLimitExceeded`, raised in the calling thread.

        ``suspect`` is whose step it counts as should the process end in it (`suspect_of`).
        """
        watched = self._of_this_thread()
        self._suspects.entered(suspect or run_id)
        watched.step += 1
        watched.interrupted = False
        watched.run_id = run_id
        return watched

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _of_this_thread(self) -> _Watched:
        watched = self._watched
        thread_id = thread_ident()
        if watched is None or watched.thread_id != thread_id:
            clock = time.pthread_getcpuclockid(thread_id)
            watched = self._watched = _Watched(thread_id, clock, self._lock, self._suspects)
            if self._thread is None:
                # Before the first step: one that never yields would keep even the thread from its first turn.
                faulthandler.register(signal.SIGPROF, STDERR, all_threads=True, chain=True)
                self._wind()
                self._thread = threading.Thread(target=self._run, name="sf-watchdog", daemon=True)
                self._thread.start()
        return watched

    def _run(self) -> None:
        wound_s = 0.0
        while not self._stopped.wait(TICK_S):
            if time.monotonic() - wound_s > WIND_S:
                wound_s = time.monotonic()
                self._wind()
            watched = self._watched
            if watched is not None and watched.run_id:
                with contextlib.suppress(OSError):  # the watched thread has ended
                    self._look(watched)
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _wind(self) -> None:
        """The process ends when this is not called again for so long a time of its CPU."""
        # Never so soon that the timer would run out between two windings.
        starved_s = max(self._limit_s + self._exit_after_s, 4 * WIND_S)
        signal.setitimer(signal.ITIMER_PROF, starved_s)

    def _look(self, watched: _Watched) -> None:
        with self._lock:
            if not watched.run_id:
                return
            now_s = time.clock_gettime(watched.cpu_clock)
            if watched.seen_step != watched.step:
                watched.seen_step, watched.began_cpu_s = watched.step, now_s
                watched.began_s, watched.told = time.monotonic(), False
            cpu_s = now_s - watched.began_cpu_s
            if not watched.interrupted:
                if cpu_s > self._limit_s:
                    watched.interrupted = True
                    watched.exit_deadline_s = cpu_s + self._exit_after_s
                    log.warning(
                        "step_over_limit", run_id=watched.run_id, stack=_stack(watched.thread_id)
                    )
                    raise_in(watched.thread_id, self._interruption)
                elif not watched.told and time.monotonic() - watched.began_s > self._blocks_s:
                    watched.told = True
                    log.warning(
                        "step_blocks",
                        run_id=watched.run_id,
                        seconds=self._blocks_s,
                        advice="Nothing else of this queue's partitions here moves until it returns: await, do not block.",
                        stack=_stack(watched.thread_id),
                    )
            elif cpu_s > watched.exit_deadline_s:
                log.error(
                    "step_never_yields", run_id=watched.run_id, stack=_stack(watched.thread_id)
                )
                os._exit(EXIT_CODE)


def suspect_of(workflow_id: str) -> str:
    """A workflow's name among suspects: its ID, or a hash of it where that does not fit.

    Not the run's: a run whose first step ends the process was never recorded, and has another ID each time.
    """
    if len(workflow_id) <= MARK_BYTES and workflow_id.isascii() and workflow_id[:1] != " ":
        return workflow_id
    return hashlib.blake2b(workflow_id.encode(), digest_size=MARK_BYTES // 2).hexdigest()


class Suspects:
    """Whose step it was when the process ended, and how often that has happened to the same workflow."""

    def __init__(self, folder: str, code: str) -> None:
        """``code`` names the workflow code: the counts of other code do not count."""
        self.code = code
        self.remembers = False
        """Whether the process before this one, on the same disk, left word of whether it was stepping anybody."""
        self._counts: dict[str, int] = {}
        self._path: Path | None = None
        self._mark: mmap.mmap | None = None
        if folder:
            self._open(Path(folder))

    def entered(self, suspect: str) -> None:
        if self._mark is not None:
            self._mark[:MARK_BYTES] = suspect.encode().ljust(MARK_BYTES)

    def left(self) -> None:
        if self._mark is not None:
            self._mark[0:1] = b" "

    def count(self, suspect: str) -> int:
        """How often the process ended in a step of this workflow since the last step that did end well."""
        return self._counts.get(suspect, 0)

    def learn(self, suspect: str, times: int) -> None:
        """The log knows of so many, counted where no disk remembered them."""
        if times > self.count(suspect):
            self._counts[suspect] = times
            self._save()

    def absolve(self, suspect: str) -> None:
        """A step of the workflow ended well."""
        if self._counts.pop(suspect, None) is not None:
            self._save()

    def close(self) -> None:
        if self._mark is not None:
            self._mark.close()
            self._mark = None

    def _open(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "suspects.json"
        with contextlib.suppress(OSError, ValueError, KeyError, AttributeError, TypeError):
            found = json.loads(self._path.read_text())
            if found["code"] == self.code:
                self._counts = {str(name): int(count) for name, count in found["suspects"].items()}
        mark = folder / "stepping"
        self.remembers = mark.exists()
        if not self.remembers:
            mark.write_bytes(b" " * MARK_BYTES)
        with mark.open("r+b") as file:
            self._mark = mmap.mmap(file.fileno(), MARK_BYTES)
        guilty = self._mark[:MARK_BYTES].decode("ascii", "replace")
        if guilty[0] != " ":
            suspect = guilty.strip()
            self._counts[suspect] = self._counts.get(suspect, 0) + 1
            log.warning("process_ended_in_step", suspect=suspect, times=self._counts[suspect])
            self._save()
        self.left()

    def _save(self) -> None:
        if self._path is not None:
            self._path.write_text(json.dumps({"code": self.code, "suspects": self._counts}))


def code_of(definitions: Iterable[WorkflowDefinition]) -> str:
    """A name of the workflow code as it is in the files now."""
    modules = (sys.modules.get(definition.cls.__module__) for definition in definitions)
    # Code that was typed into an interpreter or a notebook has no file.
    files = {getattr(module, "__file__", None) for module in modules}
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(file for file in files if file):
        with contextlib.suppress(OSError):
            digest.update(Path(file).read_bytes())
    return digest.hexdigest()


def raise_in(thread_id: int, error: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), ctypes.py_object(error))


def clear_exception(thread_id: int) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread_id), None)


def _stack(thread_id: int) -> str:
    frame = sys._current_frames().get(thread_id)
    return "".join(traceback.format_stack(frame)) if frame else ""
