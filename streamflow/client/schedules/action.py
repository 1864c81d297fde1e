"""What a schedule does each time: start a workflow."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    ParamSpec,
    Required,
    TypedDict,
    TypeVar,
    overload,
)

from typing_extensions import Unpack

from streamflow.client.calls import naming
from streamflow.client.calls.values import NOT_GIVEN, arguments, encode
from streamflow.common import (
    Priority,
    RetryPolicy,
    SearchAttributes,
    TypedSearchAttributes,
)
from streamflow.common.durations import optional_ms
from streamflow.converter import decode_search_attributes, encode_search_attributes
from streamflow.model.payload import Payload
from streamflow.schedules import Action

if TYPE_CHECKING:
    from streamflow.converter import DataConverter

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
Params = ParamSpec("Params")

EncodeHeaders = Callable[[Mapping[str, Payload]], Awaitable[Mapping[str, Payload]]]

NO_ATTRIBUTES: SearchAttributes = MappingProxyType({})


class ActionOptions(TypedDict, total=False):
    """Keywords of `ScheduleActionStartWorkflow`; their defaults stand at its constructor."""

    id: Required[str]
    task_queue: Required[str]
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    typed_search_attributes: TypedSearchAttributes
    untyped_search_attributes: SearchAttributes
    static_summary: str | Payload | None
    static_details: str | Payload | None
    priority: Priority
    headers: Mapping[str, Payload] | None


class ScheduleAction:
    """What a schedule does; `ScheduleActionStartWorkflow` is all there is."""


@dataclass
class ScheduleActionStartWorkflow(ScheduleAction):
    """Starts a workflow, whose ID is ``id`` with the time appended.

    In a description, ``args``, the values of ``memo``, summary and details are payloads; they may be given back in an update.
    """

    workflow: str
    args: Sequence[Any]
    id: str
    task_queue: str
    execution_timeout: timedelta | None
    run_timeout: timedelta | None
    task_timeout: timedelta | None
    retry_policy: RetryPolicy | None
    memo: Mapping[str, Any] | None
    typed_search_attributes: TypedSearchAttributes
    untyped_search_attributes: SearchAttributes
    static_summary: str | Payload | None
    static_details: str | Payload | None
    priority: Priority
    headers: Mapping[str, Payload] | None
    """What its interceptors find in the workflow's headers. Default: none."""
    headers_stored: bool = field(default=False, init=False, repr=False, compare=False)
    """Whether they come out of a description, and are encoded as they are."""

    @overload
    def __init__(
        self,
        workflow: Callable[[SelfT], Awaitable[Any]],
        **options: Unpack[ActionOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: Callable[[SelfT, ArgT], Awaitable[Any]],
        arg: ArgT,
        **options: Unpack[ActionOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: Callable[Concatenate[SelfT, Params], Awaitable[Any]],
        *,
        args: Sequence[Any],
        **options: Unpack[ActionOptions],
    ) -> None: ...

    @overload
    def __init__(
        self,
        workflow: str,
        arg: Any = ...,
        *,
        args: Sequence[Any] = ...,
        **options: Unpack[ActionOptions],
    ) -> None: ...

    def __init__(
        self,
        workflow: str | Callable[..., Awaitable[Any]],
        arg: Any = NOT_GIVEN,
        *,
        args: Sequence[Any] = (),
        id: str = "",
        task_queue: str = "",
        execution_timeout: timedelta | None = None,
        run_timeout: timedelta | None = None,
        task_timeout: timedelta | None = None,
        retry_policy: RetryPolicy | None = None,
        memo: Mapping[str, Any] | None = None,
        typed_search_attributes: TypedSearchAttributes = TypedSearchAttributes.empty,
        untyped_search_attributes: SearchAttributes = NO_ATTRIBUTES,
        static_summary: str | Payload | None = None,
        static_details: str | Payload | None = None,
        priority: Priority = Priority.default,
        headers: Mapping[str, Payload] | None = None,
    ) -> None:
        """Raises ValueError for an empty ID or queue."""
        self.workflow, _ = naming.workflow_name(workflow)
        if not id or not task_queue:
            raise ValueError(f"ID and task queue required, found {id!r} and {task_queue!r}")
        self.args = arguments(arg, args)
        self.id = id
        self.task_queue = task_queue
        self.execution_timeout = execution_timeout
        self.run_timeout = run_timeout
        self.task_timeout = task_timeout
        self.retry_policy = retry_policy
        self.memo = memo
        self.typed_search_attributes = typed_search_attributes
        self.untyped_search_attributes = untyped_search_attributes
        self.static_summary = static_summary
        self.static_details = static_details
        self.priority = priority
        self.headers = headers
        self.headers_stored = False


async def to_facts(
    action: ScheduleAction, converter: DataConverter, encode_headers: EncodeHeaders
) -> Action:
    """With its arguments, memo and headers encoded; payloads, and headers out of a description, stay as they are."""
    if not isinstance(action, ScheduleActionStartWorkflow):
        raise TypeError(f"Expected a ScheduleActionStartWorkflow, found {action!r}")
    attributes = encode_search_attributes(action.typed_search_attributes)
    if action.untyped_search_attributes:
        attributes |= encode_search_attributes(action.untyped_search_attributes)
    policy = action.retry_policy
    headers = action.headers or {}
    return Action(
        workflow=action.workflow,
        id=action.id,
        queue=action.task_queue,
        args=tuple([await encoded(converter, value) for value in action.args]),
        execution_timeout_ms=optional_ms(action.execution_timeout),
        run_timeout_ms=optional_ms(action.run_timeout),
        task_timeout_ms=optional_ms(action.task_timeout),
        retry_policy=None if policy is None else policy._to_model(),
        memo={name: await encoded(converter, value) for name, value in (action.memo or {}).items()},
        search_attributes=attributes,
        static_summary=_text(converter, action.static_summary),
        static_details=_text(converter, action.static_details),
        headers=dict(headers if action.headers_stored else await encode_headers(headers)),
        **action.priority._to_model(),
    )


def of_facts(action: Action, converter: DataConverter) -> ScheduleActionStartWorkflow:
    def duration(milliseconds: int | None) -> timedelta | None:
        return None if milliseconds is None else timedelta(milliseconds=milliseconds)

    policy = action.retry_policy
    found = ScheduleActionStartWorkflow(
        action.workflow,
        args=list(action.args),
        id=action.id,
        task_queue=action.queue,
        execution_timeout=duration(action.execution_timeout_ms),
        run_timeout=duration(action.run_timeout_ms),
        task_timeout=duration(action.task_timeout_ms),
        retry_policy=None if policy is None else RetryPolicy._from_model(policy),
        memo=dict(action.memo) or None,
        typed_search_attributes=decode_search_attributes(action.search_attributes),
        static_summary=_payload(converter, action.static_summary),
        static_details=_payload(converter, action.static_details),
        priority=Priority._from_model(action),
        headers=dict(action.headers) or None,
    )
    found.headers_stored = True
    return found


async def encoded(converter: DataConverter, value: Any) -> Payload:
    if isinstance(value, Payload):
        return value
    return (await encode(converter, [value]))[0]


def _payload(converter: DataConverter, text: str) -> Payload | None:
    return converter.payload_converter.to_payload(text) if text else None


def _text(converter: DataConverter, value: str | Payload | None) -> str:
    if isinstance(value, Payload):
        return str(converter.payload_converter.from_payload(value, str))
    return value or ""
