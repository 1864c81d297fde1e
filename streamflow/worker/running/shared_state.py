"""What an activity in another process shares with its worker: whether it is to stop, and its heartbeats.

A `SharedStateManager` makes events that cross processes and carries heartbeats back. `create_from_multiprocessing` makes
one of a `multiprocessing` manager; others may be written on the two abstract classes.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from multiprocessing.managers import SyncManager
from typing import Any

from streamflow.observability import get_logger

_log = get_logger("worker")

Beat = Callable[..., None]
POLL_S = 0.5
"""How long the thread that takes heartbeats waits at a time."""
DRAIN_S = 2.0
"""How long an activity that has ended waits for its last heartbeats."""
IDLE_POLLS_MAX = 20
"""It ends after so many polls without an activity to listen for, and is started again by the next."""


class SharedHeartbeatSender(ABC):
    """Goes to the other process, so it must be picklable."""

    @abstractmethod
    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        """Reports progress of the activity with this token. Called in the other process."""


class SharedStateManager(ABC):
    """Makes what activities in other processes share with their worker."""

    @staticmethod
    def create_from_multiprocessing(
        mgr: SyncManager, queue_poller_executor: Executor | None = None
    ) -> SharedStateManager:
        """A manager on top of ``multiprocessing.Manager()``.

        Args:
            queue_poller_executor: Where heartbeats are taken from the queue, in one thread. Default: a thread of its own.
        """
        return _Multiprocessing(
            mgr, queue_poller_executor or ThreadPoolExecutor(1, "activity-heartbeats")
        )

    @abstractmethod
    def new_event(self) -> threading.Event:
        """An event that can be pickled to other processes."""

    @abstractmethod
    async def register_heartbeater(
        self, task_token: bytes, heartbeat: Callable[..., None]
    ) -> SharedHeartbeatSender:
        """Begins to pass on heartbeats of this token; ``heartbeat`` may be called on any thread."""

    @abstractmethod
    async def unregister_heartbeater(self, task_token: bytes) -> None:
        """Passes on what has been sent so far, and ends."""


class _Multiprocessing(SharedStateManager):
    def __init__(self, manager: SyncManager, threads: Executor) -> None:
        self._manager = manager
        self._threads = threads
        self._queue: queue.Queue[tuple[bytes, tuple[Any, ...]]] = manager.Queue(1_000)
        self._lock = threading.Lock()
        self._beats: dict[bytes, Beat] = {}
        self._polling = False

    def new_event(self) -> threading.Event:
        event: threading.Event = self._manager.Event()
        return event

    async def register_heartbeater(
        self, task_token: bytes, heartbeat: Callable[..., None]
    ) -> SharedHeartbeatSender:
        with self._lock:
            self._beats[task_token] = heartbeat
            if not self._polling:
                self._polling = True
                self._threads.submit(self._poll)
        return _MultiprocessingSender(self._queue)

    async def unregister_heartbeater(self, task_token: bytes) -> None:
        """The queue is in order: once what is put behind the activity's own comes out, those have been passed on."""
        loop = asyncio.get_running_loop()
        passed = asyncio.Event()

        def tell() -> None:
            loop.call_soon_threadsafe(passed.set)

        with self._lock:
            beat = self._beats.get(task_token)
            if beat is None:
                return
            self._beats[task_token] = _with_last(beat, tell)
        try:
            await asyncio.to_thread(self._queue.put, (task_token, (_Last(),)), True, DRAIN_S)
            await asyncio.wait_for(passed.wait(), DRAIN_S)
        except (TimeoutError, queue.Full, EOFError, OSError):
            _log.warning("heartbeats_not_drained", token=task_token.hex())
        with self._lock:
            self._beats.pop(task_token, None)

    def _poll(self) -> None:
        idle = 0
        while True:
            try:
                token, details = self._queue.get(True, POLL_S)
            except queue.Empty:
                with self._lock:
                    idle = 0 if self._beats else idle + 1
                    if idle >= IDLE_POLLS_MAX:
                        self._polling = False
                        return
                continue
            except (
                EOFError,
                OSError,
            ):  # the manager's process is gone, and with it every activity's
                with self._lock:
                    self._polling = False
                return
            idle = 0
            self._pass_on(token, details)

    def _pass_on(self, token: bytes, details: tuple[Any, ...]) -> None:
        with self._lock:
            beat = self._beats.get(token)
        if beat is None:
            return
        try:
            beat(*details)
        except (
            Exception
        ) as error:  # a value that cannot be converted must not stop the others' heartbeats
            _log.warning("heartbeat_not_passed_on", error=repr(error))


class _Last:
    """Stands behind an activity's last heartbeat in the queue."""


def _with_last(beat: Beat, tell: Callable[[], None]) -> Beat:
    def call(*details: Any) -> None:
        if len(details) == 1 and isinstance(details[0], _Last):
            tell()
        else:
            beat(*details)

    return call


class _MultiprocessingSender(SharedHeartbeatSender):
    def __init__(self, sending: queue.Queue[tuple[bytes, tuple[Any, ...]]]) -> None:
        self._queue = sending

    def send_heartbeat(self, task_token: bytes, *details: Any) -> None:
        self._queue.put((task_token, details), True, 5)
