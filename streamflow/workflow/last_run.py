"""What came of the run before this one: of the same cron schedule or schedule, or the attempt that failed."""

from __future__ import annotations

import warnings
from typing import Any, TypeVar, overload

from streamflow.coroutine.context import current

T = TypeVar("T")


def has_last_completion_result() -> bool:
    """Whether an earlier run of this chain completed with a result, be it None, that fits into a record with this run's input."""
    return bool(current().facts.started.last_result)


@overload
def get_last_completion_result(type_hint: None = None) -> Any | None: ...


@overload
def get_last_completion_result(type_hint: type[T]) -> T | None: ...


def get_last_completion_result(type_hint: type | None = None) -> Any | None:
    """The result of the last run that completed; ``None`` when there is none, or it was None, or too large to be handed on."""
    running = current()
    results = running.facts.started.last_result
    if len(results) > 1:
        warnings.warn(f"Expected one last completion result, found {len(results)}", stacklevel=2)
        return None
    return running.values.decode_one(results[0], type_hint) if results else None


def get_last_failure() -> BaseException | None:
    """Why the run before this one failed; ``None`` if it did not, or there was none."""
    running = current()
    failure = running.facts.started.last_failure
    return None if failure is None else running.values.from_failure(failure)
