"""How a run's code ended, as the intent that says so, or as the exception that leaves it stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from streamflow.coroutine.values import Values
from streamflow.exceptions import CancelledError, FailureError, is_cancelled_exception
from streamflow.model.intents import CancelRun, CompleteRun, ContinueAsNew, FailRun
from streamflow.model.payload import Payloads

End = CompleteRun | FailRun | CancelRun | ContinueAsNew

FAILURES: tuple[type[BaseException], ...] = (FailureError, asyncio.TimeoutError)
"""What fails a run instead of leaving it stuck, whatever its definition adds."""


class Judge:
    """Tells failures of a run from faults of its code."""

    __slots__ = ("_of_worker", "_types", "_values")

    def __init__(
        self,
        values: Values,
        of_worker: Sequence[type[BaseException]],
        of_workflow: Sequence[type[BaseException]],
    ) -> None:
        self._values = values
        self._of_worker = (*FAILURES, *of_worker)
        self._types = (*self._of_worker, *of_workflow)

    def replace(self, of_workflow: Sequence[type[BaseException]]) -> None:
        """These types in place of the definition's: a dynamic workflow may choose them for each run."""
        self._types = (*self._of_worker, *of_workflow)

    def is_failure(self, exception: BaseException) -> bool:
        return isinstance(exception, self._types)

    def end_of(self, exception: BaseException, *, cancel_requested: bool) -> End | None:
        """What the run ends with because of this; ``None`` if the code is at fault and the run must not end."""
        if cancel_requested and is_cancelled_exception(exception):
            return CancelRun(details=self._details(exception))
        if isinstance(exception, asyncio.CancelledError):
            # Code that cancels itself: the log knows one kind of cancellation only.
            failure = CancelledError("Cancelled")
            failure.__cause__ = exception.__cause__
            exception = failure
        if self.is_failure(exception):
            return FailRun(failure=self._values.to_failure(exception))
        return None

    def _details(self, exception: BaseException) -> Payloads:
        if isinstance(exception, CancelledError):
            return self._values.encode(exception.details)
        return ()
