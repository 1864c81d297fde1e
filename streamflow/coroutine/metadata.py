"""What the built-in queries answer: where a run's tasks wait, and which messages its code handles.

__stack_trace                 text
__enhanced_stack_trace        `EnhancedStackTrace`, with the source of each file
__temporal_workflow_metadata  `WorkflowMetadata`; also as __streamflow_workflow_metadata
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streamflow.coroutine import stacks

if TYPE_CHECKING:
    from streamflow.coroutine.handlers import Handlers
    from streamflow.coroutine.instance import Instance

STACK_TRACE = "__stack_trace"


@dataclass
class StackTraceSDKInfo:
    """Who made the trace."""

    name: str = "streamflow"
    version: str = ""


@dataclass
class StackTraceFileSlice:
    """A source file, or the part of it that begins at ``line_offset``."""

    line_offset: int = 0
    content: str = ""


@dataclass
class StackTraceFileLocation:
    """One frame; columns are not known (-1)."""

    file_path: str = ""
    line: int = 0
    column: int = -1
    function_name: str = ""
    internal_code: bool = False


@dataclass
class StackTrace:
    """One task's frames, the outermost first."""

    locations: list[StackTraceFileLocation] = field(default_factory=list[StackTraceFileLocation])


@dataclass
class EnhancedStackTrace:
    """Where each task waits, with the source of every file involved."""

    sdk: StackTraceSDKInfo = field(default_factory=StackTraceSDKInfo)
    sources: dict[str, StackTraceFileSlice] = field(default_factory=dict[str, StackTraceFileSlice])
    stacks: list[StackTrace] = field(default_factory=list[StackTrace])


@dataclass
class WorkflowInteractionDefinition:
    """A message that the code handles; the name of a dynamic handler is empty."""

    name: str = ""
    description: str = ""


@dataclass
class WorkflowDefinition:
    """The workflow's type and its handlers as they are now, by name."""

    type: str = ""
    query_definitions: list[WorkflowInteractionDefinition] = field(
        default_factory=list[WorkflowInteractionDefinition]
    )
    signal_definitions: list[WorkflowInteractionDefinition] = field(
        default_factory=list[WorkflowInteractionDefinition]
    )
    update_definitions: list[WorkflowInteractionDefinition] = field(
        default_factory=list[WorkflowInteractionDefinition]
    )


@dataclass
class WorkflowMetadata:
    """What a run's code says of itself."""

    definition: WorkflowDefinition = field(default_factory=WorkflowDefinition)
    current_details: str = ""


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
    built_in = [WorkflowInteractionDefinition(name) for name in _LISTED]
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

_LISTED = tuple(BUILT_IN)[:3]

ANSWERS: dict[str, type] = {
    "__enhanced_stack_trace": EnhancedStackTrace,
    "__temporal_workflow_metadata": WorkflowMetadata,
    "__streamflow_workflow_metadata": WorkflowMetadata,
}
"""As which a caller's converter reads them."""
