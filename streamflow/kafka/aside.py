"""Calls of the client library that may never return, made on a thread that can be left behind with them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

_Call = Callable[[], object]


class Aside:
    """One thread that makes one call at a time for whoever waits for it. It starts with the first call.

    A call that is left behind keeps its thread and what it is made of, until it returns after all. Being daemons, such
    threads do not hold up the end of the process.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        """``None`` ends the thread."""
        self._ends: SimpleQueue[BaseException | None] = SimpleQueue()
        self._started = False
        self.left_behind = False
        """Whether a call did not return in time: no other may follow."""

    def call(self, call: _Call, timeout_s: float) -> None:
        """Returns when the call has, or raises what it raised.

        Raises:
            TimeoutError: It did not return in time, and is left behind.
        """
        assert not self.left_behind, "the last call has not returned"
        if not self._started:
            self._started = True
            # Bound to the queues alone: an `Aside` that is let go of is not held by its thread.
            threading.Thread(
                target=_serve, args=(self._calls, self._ends), name=self._name, daemon=True
            ).start()
        self._calls.put(call)
        try:
            raised = self._ends.get(timeout=timeout_s)
        except Empty:
            self.left_behind = True
            raise TimeoutError(f"{self._name}: no return in {timeout_s:.1f} s") from None
        if raised is not None:
            raise raised

    def close(self) -> None:
        """Ends the thread, once the call that it may be in has returned."""
        self._calls.put(None)


def _serve(calls: SimpleQueue[_Call | None], ends: SimpleQueue[BaseException | None]) -> None:
    while (call := calls.get()) is not None:
        try:
            call()
        except BaseException as error:  # raised where it is waited for
            ends.put(error)
        else:
            ends.put(None)
        # Not kept until the next call comes: it holds a producer.
        del call
