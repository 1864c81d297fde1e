"""Long calls to the outside (object stores): each on a thread of its own, or at once on logs that have no threads.

The processor's thread never waits for them: it looks at an errand in its next turns.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from streamflow.observability import get_logger

log = get_logger("processor")

_T = TypeVar("_T")


class Errand(Generic[_T]):
    """A call under way, or over."""

    def __init__(self) -> None:
        self.cancelled = False
        """Set by who does not need it any more; the call looks at it now and then."""
        self._done = threading.Event()
        self._result: _T | None = None
        self._error: Exception | None = None

    @property
    def done(self) -> bool:
        return self._done.is_set()

    def result(self) -> _T:
        """What the call returned; raises what it raised."""
        assert self.done, "not done"
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # of the call's own type, None included

    def cancel(self) -> None:
        self.cancelled = True

    def wait(self, seconds: float) -> bool:
        return self._done.wait(seconds)

    def run(self, call: Callable[[Errand[_T]], _T]) -> None:
        try:
            self._result = call(self)
        except Exception as error:  # whoever looks at the errand is told
            self._error = error
        self._done.set()


class Errands:
    """Begins errands. Closed, it waits a moment for those that are under way, and not for one that hangs."""

    def __init__(self, *, threaded: bool) -> None:
        self._threaded = threaded
        self._begun: list[Errand[object]] = []

    def begin(self, name: str, call: Callable[[Errand[_T]], _T]) -> Errand[_T]:
        errand: Errand[_T] = Errand()
        self._begun = [begun for begun in self._begun if not begun.done]
        if self._threaded:
            # A daemon: an object store that does not answer must not keep the process from ending.
            threading.Thread(
                target=errand.run, args=(call,), name=f"streamflow {name}", daemon=True
            ).start()
            self._begun.append(errand)  # type: ignore[arg-type]  # only waited for
        else:
            errand.run(call)
        return errand

    def close(self, wait_s: float = 2.0) -> None:
        for errand in self._begun:
            errand.cancel()
        for errand in self._begun:
            if not errand.wait(wait_s):
                log.info("errand_abandoned")
