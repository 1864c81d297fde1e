"""What the built-in queries answer: where a run's tasks wait, and which messages its code handles.

__stack_trace                 text
__enhanced_stack_trace        `EnhancedStackTrace`, with the source of each file
__temporal_workflow_metadata  `WorkflowMetadata`; also as __streamflow_workflow_metadata
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from streamflow.api.sdk.v1 import (
    EnhancedStackTrace,
    StackTrace,
    StackTraceFileLocation,
    StackTraceFileSlice,
    WorkflowDefinition,
    WorkflowInteractionDefinition,
    WorkflowMetadata,
)
from streamflow.coroutine import stacks

if TYPE_CHECKING:
    from streamflow.coroutine.handlers import Handlers
    from streamflow.coroutine.instance import Instance

STACK_TRACE = "__stack_trace"


def _stack_trace(instance: Instance) -> str:
    return stacks.describe(instance.loop.unfinished())


def _enhanced_stack_trace(instance: Instance) -> EnhancedStackTrace:
    trace = EnhancedStackTrace()
    for task in instance.loop.unfinished():
        locations: list[StackTraceFileLocation] = []
        for frame, line in stacks.frames(task.get_coro()):
            path = frame.f_code.co_filename
            if path not in trace.sources:
                trace.sources[path] = StackTraceFileSlice(content="".join(linecache.getlines(path)))
            name = frame.f_code.co_name
            locations.append(StackTraceFileLocation(path, line, function_name=name))
        trace.stacks.append(StackTrace(locations))
    return trace


def _metadata(instance: Instance) -> WorkflowMetadata:
    queries = _described(instance.messages.queries)
    built_in = [WorkflowInteractionDefinition(name) for name in LISTED]
    return WorkflowMetadata(
        definition=WorkflowDefinition(
            type=instance.facts.started.workflow_type,
            query_definitions=_sorted([*queries, *built_in]),
            signal_definitions=_sorted(_described(instance.messages.signals)),
            update_definitions=_sorted(_described(instance.updates.handlers)),
        ),
        current_details=instance.details,
    )


def _described(handlers: Handlers[Any]) -> list[WorkflowInteractionDefinition]:
    return [
        WorkflowInteractionDefinition(name or "", handler.description or "")
        for name, handler in handlers.known()
    ]


def _sorted(
    definitions: Iterable[WorkflowInteractionDefinition],
) -> list[WorkflowInteractionDefinition]:
    return sorted(definitions, key=lambda definition: definition.name)


BUILT_IN: dict[str, Callable[[Instance], Any]] = {
    STACK_TRACE: _stack_trace,
    "__enhanced_stack_trace": _enhanced_stack_trace,
    "__temporal_workflow_metadata": _metadata,
    "__streamflow_workflow_metadata": _metadata,
}
"""What is asked without the code having a handler for it."""

LISTED = tuple(BUILT_IN)[:3]
"""Those that are told of: the last is another name."""

ANSWERS: dict[str, type] = {
    "__enhanced_stack_trace": EnhancedStackTrace,
    "__temporal_workflow_metadata": WorkflowMetadata,
    "__streamflow_workflow_metadata": WorkflowMetadata,
}
"""As which a caller's converter reads them."""
