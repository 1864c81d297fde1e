"""A machine turned by a plain thread of its own, until it is stopped or fails."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from streamflow.observability import get_logger
from streamflow.ports import Machine

_log = get_logger("kafka")


class ThreadDriver:
    """Opens the machine, turns it again at once as long as nobody stops it, and closes it, all on one thread."""

    def __init__(self, machine: Machine, *, name: str) -> None:
        self._machine = machine
        self._name = name
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._ended: Future[None] = Future()
        # Running, so that a waiter that is cancelled does not cancel it for the others.
        self._ended.set_running_or_notify_cancel()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def thread_id(self) -> int | None:
        return self._thread.ident

    def stop(self) -> None:
        self._stopping.set()

    def failed(self) -> BaseException | None:
        return self._failure

    async def wait(self) -> None:
        await asyncio.shield(asyncio.wrap_future(self._ended))
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._turn_until_stopped()
        except BaseException as error:
            # Whoever waits handles it: `wait` raises it, `failed` shows it.
            self._failure = error
            _log.error("machine_failed", machine=self._name, error=repr(error))
        self._close()
        self._ended.set_result(None)

    def _turn_until_stopped(self) -> None:
        self._machine.open()
        while not self._stopping.is_set():
            self._machine.turn()

    def _close(self) -> None:
        try:
            self._machine.close()
        except BaseException as error:
            if self._failure is None:
                self._failure = error
            _log.error("machine_close_failed", machine=self._name, error=repr(error))
