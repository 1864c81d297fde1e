"""Names of workflows and signals as workflow code gives them: text, or the decorated function itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streamflow.coroutine.definition import SIGNAL, SignalDefinition, definition_of


def type_of(workflow: str | Callable[..., Any]) -> tuple[str, Any, list[type] | None]:
    """The workflow's type, its result's type hint and its arguments' (``None``: unknown).

    Raises:
        ValueError: the function is no workflow's run method, or the workflow is dynamic and has no name of its own.
    """
    if isinstance(workflow, str):
        return workflow, None, None
    definition = definition_of(workflow)
    if definition.name is None:
        raise ValueError("Expected a workflow with a name, found a dynamic one; give the name")
    signature = definition.run_signature
    return definition.name, signature.result, list(signature.arguments)


def signal_name(signal: str | Callable[..., Any]) -> str:
    """Raises RuntimeError for a function that is no signal handler, or a dynamic one."""
    if isinstance(signal, str):
        return signal
    found = getattr(signal, SIGNAL, None)
    if not isinstance(found, SignalDefinition):
        raise RuntimeError(
            f"Signal definition not found on {getattr(signal, '__qualname__', signal)}, is it decorated with "
            "@workflow.signal?"
        )
    if found.name is None:
        raise RuntimeError(
            "Cannot invoke dynamic signal definition; give the signal's name as text"
        )
    return found.name
