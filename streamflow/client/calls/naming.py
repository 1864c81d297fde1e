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
        TypeError: it is neither text nor anything that could be called.
        ValueError: the function is no workflow's run method, or the workflow is dynamic and has no name of its own.
    """
    if isinstance(workflow, str):
        return workflow, None
    if not callable(workflow):
        raise TypeError(
            "Workflow must be a string or callable: expected a workflow's name or its run method (MyWorkflow.run), found "
            f"{workflow!r}"
        )
    definition: WorkflowDefinition = definition_of(workflow)
    if definition.name is None:
        raise ValueError(
            "Cannot invoke dynamic workflow explicitly: expected a workflow with a name, found "
            f"{definition.cls.__qualname__}; pass the name as text"
        )
    return definition.name, definition.run_signature.result


def signal_name(signal: str | Callable[..., Any]) -> str:
    """Raises RuntimeError for a function that is no signal handler, or a dynamic one."""
    if isinstance(signal, str):
        return signal
    found = getattr(signal, SIGNAL, None)
    if not isinstance(found, SignalDefinition):
        raise _undecorated("signal", signal)
    return _named(found.name, "signal")


def query_name(query: str | Callable[..., Any]) -> tuple[str, Any]:
    """The query's name and its result's type hint. Raises RuntimeError as `signal_name` does."""
    if isinstance(query, str):
        return query, ANSWERS.get(query)
    found = getattr(query, QUERY, None)
    if not isinstance(found, QueryDefinition):
        raise _undecorated("query", query)
    return _named(found.name, "query"), found.signature.result


def update_name(update: str | Callable[..., Any]) -> tuple[str, Any]:
    """The update's name and its result's type hint. Raises RuntimeError as `signal_name` does."""
    if isinstance(update, str):
        return update, None
    found = getattr(update, UPDATE, None)
    if not isinstance(found, UpdateDefinition):
        raise _undecorated("update", update)
    return _named(found.name, "update"), found.signature.result


def _undecorated(kind: str, given: object) -> RuntimeError:
    name = getattr(given, "__qualname__", repr(given))
    return RuntimeError(
        f"{kind.capitalize()} definition not found on {name}, is it decorated with @workflow.{kind}? Expected such a method or "
        "a name as text"
    )


def _named(name: str | None, kind: str) -> str:
    if name is None:
        raise RuntimeError(
            f"Cannot invoke dynamic {kind} definition: pass the {kind}'s name as text"
        )
    return name
