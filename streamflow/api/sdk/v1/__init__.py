"""What the built-in queries answer: where a run's tasks wait, and which messages its code handles. And what people are told
of an operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import version as _version_of

from streamflow.api.files import also_in
from streamflow.api.message import Message, child
from streamflow.model.payload import Payload

__all__ = [
    "EnhancedStackTrace",
    "StackTrace",
    "StackTraceFileLocation",
    "StackTraceFileSlice",
    "StackTraceSDKInfo",
    "UserMetadata",
    "WorkflowDefinition",
    "WorkflowInteractionDefinition",
    "WorkflowMetadata",
]


@dataclass
class StackTraceSDKInfo:
    """Who made the trace."""

    name: str = "streamflow"
    version: str = _version_of("streamflow")


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


class UserMetadata(Message):
    """What people are told of an operation: a line, and more."""

    summary = child(1, Payload)
    details = child(2, Payload)


also_in(__name__, "enhanced_stack_trace_pb2", "user_metadata_pb2", "workflow_metadata_pb2")
