"""Names of workflows, signals, queries and updates as callers give them: text, or the decorated function itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamflow.coroutine.definition import (
    QUERY,
    SIGNAL,
    UPDATE,
    QueryDefinition,
    SignalDefinition,
    UpdateDefinition,
    WorkflowDefinition,
    definition_of,
)
from streamflow.coroutine.metadata import ANSWERS


def workflow_name(workflow: str | Callable[..., Any]) -> tuple[str, Any]:
    """The type's name and its result's type hint (``None``: unknown).

    Raises:
        TypeError: the function is no workflow's run method, or the workflow is dynamic and has no name of its own.
    """
    if isinstance(workflow, str):
        return workflow, None
    try:
        definition: WorkflowDefinition = definition_of(workflow)
    except ValueError as error:
        raise TypeError(
            f"Expected a workflow's name or its run method (MyWorkflow.run), found {workflow!r}"
        ) from error
    if definition.name is None:
        raise TypeError(
            f"Expected a workflow with a name, found the dynamic {definition.cls.__qualname__}: pass the name as text"
        )
    return definition.name, definition.run_signature.result


def signal_name(signal: str | Callable[..., Any]) -> str:
    """Raises TypeError for a function that is no signal handler, or a dynamic one."""
    if isinstance(signal, str):
        return signal
    found = getattr(signal, SIGNAL, None)
    if not isinstance(found, SignalDefinition):
        raise TypeError(
            f"Expected a signal's name or a method decorated with @workflow.signal, found {signal!r}"
        )
    return _named(found.name, signal)


def query_name(query: str | Callable[..., Any]) -> tuple[str, Any]:
    """The query's name and its result's type hint. Raises TypeError for anything else."""
    if isinstance(query, str):
        return query, ANSWERS.get(query)
    found = getattr(query, QUERY, None)
    if not isinstance(found, QueryDefinition):
        raise TypeError(
            f"Expected a query's name or a method decorated with @workflow.query, found {query!r}"
        )
    return _named(found.name, query), found.signature.result


def update_name(update: str | Callable[..., Any]) -> tuple[str, Any]:
    """The update's name and its result's type hint. Raises TypeError for what is neither text nor an update."""
    if isinstance(update, str):
        return update, None
    found = getattr(update, UPDATE, None)
    if not isinstance(found, UpdateDefinition):
        raise TypeError(
            f"Expected an update's name or a method decorated with @workflow.update, found {update!r}"
        )
    return _named(found.name, update), found.signature.result


def _named(name: str | None, handler: Callable[..., Any]) -> str:
    if name is None:
        raise TypeError(
            f"Expected a handler with a name, found the dynamic {handler!r}: pass the name as text"
        )
    return name
