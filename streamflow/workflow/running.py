"""What workflow code may ask and set of the run that it belongs to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar, overload

from streamflow.converter import PayloadConverter
from streamflow.coroutine.context import current, current_or_none
from streamflow.workflow.interception import NO_FUNCTIONS

T = TypeVar("T")
DefaultT = TypeVar("DefaultT")


def instance() -> Any:
    """The object of the running workflow's class."""
    return current().workflow


def in_workflow() -> bool:
    """Whether this is called from workflow code."""
    return current_or_none() is not None


def cancellation_reason() -> str | None:
    """Why cancellation was asked for; ``None`` if it was not."""
    running = current()
    return running.cancel_reason if running.cancel_requested else None


def is_failure_exception(err: BaseException) -> bool:
    """Whether this exception, leaving run, would fail the workflow rather than leave it stuck."""
    return current().is_failure(err)


def extern_functions() -> Mapping[str, Callable[..., Any]]:
    """Functions that interceptors lend to workflows (``unsafe_extern_functions``): none without interceptors."""
    found = current().interception
    return NO_FUNCTIONS if found is None else found.extern_functions


def payload_converter() -> PayloadConverter:
    """The converter of this workflow's values."""
    return current().values.payloads


# -- memo ---------------------------------------------------------------------------------------------------------


def memo() -> Mapping[str, Any]:
    """The run's memo as it stands now, decoded without type hints."""
    return current().properties.memo()


_NONE: Any = object()


@overload
def memo_value(key: str, default: Any = ...) -> Any: ...


@overload
def memo_value(key: str, *, type_hint: type[T]) -> T: ...


@overload
def memo_value(key: str, default: DefaultT, *, type_hint: type[T]) -> T | DefaultT: ...


def memo_value(key: str, default: Any = _NONE, *, type_hint: type | None = None) -> Any:
    """One value of the memo.

    Raises:
        KeyError: there is none of this name, and no default was given.
    """
    running = current()
    payload = running.properties.raw_memo.get(key)
    if payload is not None:
        return running.values.decode_one(payload, type_hint)
    if default is _NONE:
        raise KeyError(f"Memo does not have a value for key {key}")
    return default


def get_current_details() -> str:
    """What `set_current_details` was last given."""
    return current().details


def set_current_details(description: str) -> None:
    """Says in Markdown what the run is at, for people who look at it."""
    running = current()
    running.refuse_changes()
    running.details = description
