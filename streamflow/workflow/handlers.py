"""Handlers that code sets while it runs, and what it may know of those at work."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from streamflow.coroutine.context import current
from streamflow.coroutine.updates import CURRENT
from streamflow.workflow.definitions import warn_of_async_query
from streamflow.workflow.info import UpdateInfo

Handler = Callable[..., Any]


def current_update_info() -> UpdateInfo | None:
    """The update that this code handles, also in tasks that its handler began; ``None`` elsewhere."""
    current()
    update = CURRENT.get()
    return None if update is None else UpdateInfo(id=update.id, name=update.name)


def all_handlers_finished() -> bool:
    """Whether no signal or update handler is at work; for ``wait_condition`` before run returns."""
    return current().messages.at_work.none


# -- signals ------------------------------------------------------------------------------------------------------


def get_signal_handler(name: str) -> Handler | None:
    """The handler of exactly this signal."""
    found = current().messages.signals.get(name)
    return found and found.function


def set_signal_handler(name: str, handler: Handler | None) -> None:
    """Puts a handler in place (``None`` takes it away); signals that waited for one are handled now."""
    current().messages.set_signal_handler(name, handler)


def get_dynamic_signal_handler() -> Handler | None:
    """The handler of signals that have no other."""
    found = current().messages.signals.get(None)
    return found and found.function


def set_dynamic_signal_handler(handler: Handler | None) -> None:
    """Takes every signal without a handler of its own, as (name, Sequence[RawValue])."""
    current().messages.set_signal_handler(None, handler)


# -- queries ------------------------------------------------------------------------------------------------------


def get_query_handler(name: str) -> Handler | None:
    """The handler of exactly this query."""
    found = current().messages.queries.get(name)
    return found and found.function


def set_query_handler(name: str, handler: Handler | None) -> None:
    """Puts a plain function in place as a query's handler; ``None`` takes it away."""
    if handler is not None:
        warn_of_async_query(handler, stacklevel=2)
    current().messages.set_query_handler(name, handler)


def get_dynamic_query_handler() -> Handler | None:
    """The handler of queries that have no other."""
    found = current().messages.queries.get(None)
    return found and found.function


def set_dynamic_query_handler(handler: Handler | None) -> None:
    """Answers every query without a handler of its own, as (name, Sequence[RawValue])."""
    if handler is not None:
        warn_of_async_query(handler, stacklevel=2)
    current().messages.set_query_handler(None, handler)


# -- updates ------------------------------------------------------------------------------------------------------


def get_update_handler(name: str) -> Handler | None:
    """The handler of exactly this update."""
    found = current().updates.handlers.get(name)
    return found and found.function


def set_update_handler(
    name: str, handler: Handler | None, *, validator: Handler | None = None
) -> None:
    """Puts a handler in place, plain or async; ``None`` takes it away. Updates do not wait for one: they are refused.

    Args:
        validator: A plain function of the same parameters; what it raises refuses the update. Default: none.

    Raises:
        ValueError: the validator is async.
    """
    _refuse_async(validator)
    current().updates.set_handler(name, handler, validator)


def get_dynamic_update_handler() -> Handler | None:
    """The handler of updates that have no other."""
    found = current().updates.handlers.get(None)
    return found and found.function


def set_dynamic_update_handler(
    handler: Handler | None, *, validator: Handler | None = None
) -> None:
    """Handles every update without a handler of its own, as (name, Sequence[RawValue]).

    Raises:
        ValueError: the validator is async.
        RuntimeError: the handler takes other parameters.
    """
    _refuse_async(validator)
    current().updates.set_handler(None, handler, validator)


def _refuse_async(validator: Handler | None) -> None:
    if validator is not None and inspect.iscoroutinefunction(validator):
        raise ValueError(
            f"Update validator must not be an async function, found {validator.__qualname__}; write def, not async def"
        )
