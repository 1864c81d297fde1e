"""The public HTTP API's words: what the gateway reads and writes, and its client with it.

Payloads are as stored: ``{"metadata": {name: base64}, "data": base64}``. Times are milliseconds. A new field comes with
a default and unknown fields are passed over, so either side may be newer. Routes are the gateway's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from streamflow.client.calls.address import run_id_or_none
from streamflow.client.history.file import event_from_json, event_to_json
from streamflow.client.transport import EventsPage
from streamflow.model.answers import ExecutionSummary, Reason, Rejection, Trouble
from streamflow.model.commands import (
    CancelWorkflow,
    QueryWorkflow,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    WaitFor,
)
from streamflow.model.control import ControlWorkflow, ResetWorkflow, WorkflowControl
from streamflow.model.failure import Failure
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdConflictPolicy, IdReusePolicy, RetryPolicy
from streamflow.model.payload import Payload, Payloads
from streamflow.service import RPCStatusCode

PREFIX = "/api/v1"
PROBLEM_TYPE = "application/problem+json"
MESSAGE_ID_HEADER = "sf-message-id"
"""Names a POST for a caller who may have to send it again."""
MESSAGE_ID_CHARS_MAX = 200
BODY_BYTES_MAX = 4 * 1024 * 1024
"""Base64 makes a record of 1 MiB a third longer; the rest is room for names."""
POLL_S = 25.0
"""The longest that a request for a result is held open."""


class StartBody(msgspec.Struct, frozen=True, kw_only=True):
    """Starts a workflow; with ``signal_name`` also signals it. ``wait_for: result`` answers with its end."""

    queue: str
    workflow_id: str
    workflow_type: str
    args: Payloads = ()
    id_reuse_policy: IdReusePolicy = IdReusePolicy.ALLOW_DUPLICATE
    id_conflict_policy: IdConflictPolicy = IdConflictPolicy.FAIL
    retry_policy: RetryPolicy | None = None
    execution_timeout_ms: int | None = None
    run_timeout_ms: int | None = None
    task_timeout_ms: int | None = None
    start_delay_ms: int = 0
    cron_schedule: str = ""
    memo: Mapping[str, Payload] = {}
    search_attributes: Mapping[str, Payload] = {}
    headers: Mapping[str, Payload] = {}
    static_summary: str = ""
    static_details: str = ""
    signal_name: str = ""
    signal_args: Payloads = ()
    identity: str = ""
    wait_for: WaitFor = WaitFor.ACCEPTED
    priority: int = 0
    """1 is first, 5 is last, 0 is unset."""
    version_override: str = ""
    fairness_key: str = ""
    fairness_weight: float = 1.0

    def command(self) -> StartWorkflow:
        fields = {name: getattr(self, name) for name in self.__struct_fields__ if name != "queue"}
        return StartWorkflow(**fields)

    @staticmethod
    def of(queue: str, command: StartWorkflow) -> StartBody:
        fields = {
            name: getattr(command, name) for name in StartBody.__struct_fields__ if name != "queue"
        }
        return StartBody(queue=queue, **fields)


class SignalBody(msgspec.Struct, frozen=True, kw_only=True):
    signal_name: str
    args: Payloads = ()
    run_id: str | None = None
    headers: Mapping[str, Payload] = {}
    identity: str = ""

    def command(self, workflow_id: str) -> SignalWorkflow:
        return SignalWorkflow(
            workflow_id=WorkflowId(workflow_id),
            run_id=run_id_or_none(self.run_id),
            signal_name=self.signal_name,
            args=self.args,
            headers=self.headers,
            identity=self.identity,
        )


class QueryBody(msgspec.Struct, frozen=True, kw_only=True):
    query_name: str
    args: Payloads = ()
    run_id: str | None = None
    headers: Mapping[str, Payload] = {}
    reject_condition: str = "none"

    def command(self, workflow_id: str) -> QueryWorkflow:
        return QueryWorkflow(
            workflow_id=WorkflowId(workflow_id),
            run_id=run_id_or_none(self.run_id),
            query_name=self.query_name,
            args=self.args,
            headers=self.headers,
            reject_condition=self.reject_condition,
        )


class CancelBody(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str | None = None
    first_run_id: str | None = None
    reason: str = ""
    identity: str = ""

    def command(self, workflow_id: str) -> CancelWorkflow:
        return CancelWorkflow(
            workflow_id=WorkflowId(workflow_id),
            run_id=run_id_or_none(self.run_id),
            first_run_id=run_id_or_none(self.first_run_id),
            reason=self.reason,
            identity=self.identity,
        )


class TerminateBody(msgspec.Struct, frozen=True, kw_only=True):
    run_id: str | None = None
    first_run_id: str | None = None
    reason: str = ""
    details: Payloads = ()
    identity: str = ""

    def command(self, workflow_id: str) -> TerminateWorkflow:
        return TerminateWorkflow(
            workflow_id=WorkflowId(workflow_id),
            run_id=run_id_or_none(self.run_id),
            first_run_id=run_id_or_none(self.first_run_id),
            reason=self.reason,
            details=self.details,
            identity=self.identity,
        )


class ControlWorkflowBody(msgspec.Struct, frozen=True, kw_only=True):
    """Pauses a run, lets it go on, or deletes a closed one."""

    control: WorkflowControl
    run_id: str | None = None
    reason: str = ""
    identity: str = ""

    def command(self, workflow_id: str) -> ControlWorkflow:
        return ControlWorkflow(
            workflow_id=WorkflowId(workflow_id),
            run_id=run_id_or_none(self.run_id),
            control=self.control,
            reason=self.reason,
            identity=self.identity,
        )


class ResetBody(msgspec.Struct, frozen=True, kw_only=True):
    """Begins a new run with what a run had done before the step of an event."""

    event_id: int
    run_id: str | None = None
    reapply_signals: bool = True
    reason: str = ""
    identity: str = ""

    def command(self, workflow_id: str) -> ResetWorkflow:
        return ResetWorkflow(
            workflow_id=WorkflowId(workflow_id),
            run_id=run_id_or_none(self.run_id),
            event_id=self.event_id,
            reapply_signals=self.reapply_signals,
            reason=self.reason,
            identity=self.identity,
        )


class QueueBody(msgspec.Struct, frozen=True, kw_only=True):
    """A queue of the namespace's directory."""

    name: str
    partitions: int
    kind: str
    topics: Mapping[str, int] = {}
    """Every topic made for this queue, with its partition count."""


class ExecutionsBody(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a list of runs."""

    executions: tuple[ExecutionSummary, ...]
    next_page_token: str = ""


class CountGroupBody(msgspec.Struct, frozen=True, kw_only=True):
    count: int
    values: tuple[str | int | float | bool | None, ...]


class CountBody(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs a list filter finds, by group if it groups."""

    count: int
    groups: tuple[CountGroupBody, ...] = ()


class SearchAttributesBody(msgspec.Struct, frozen=True, kw_only=True):
    """Search attributes by name, with their types."""

    search_attributes: Mapping[str, str]


class ForgetSearchAttributesBody(msgspec.Struct, frozen=True, kw_only=True):
    names: tuple[str, ...]


class QueuesBody(msgspec.Struct, frozen=True, kw_only=True):
    queues: tuple[QueueBody, ...]


class LocatedBody(msgspec.Struct, frozen=True, kw_only=True):
    """The queue that knows a workflow."""

    queue: str


class HealthBody(msgspec.Struct, frozen=True, kw_only=True):
    status: str
    version: str
    namespaces: tuple[str, ...]


class EventBody(msgspec.Struct, frozen=True, kw_only=True):
    """An event in the form of the history file."""

    seq: int
    step: int
    time_ms: int
    type: str
    event: Mapping[str, Any]


class HistoryBody(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a run's history."""

    workflow_id: str
    run_id: str
    events: tuple[EventBody, ...]
    next_after_seq: int
    more: bool
    closed: bool
    trouble: Trouble | None = None
    """On the last page of an open run that is stuck or paused."""

    @staticmethod
    def of(page: EventsPage) -> HistoryBody:
        return HistoryBody(
            workflow_id=page.workflow_id,
            run_id=page.run_id,
            events=tuple(EventBody(**event_to_json(event)) for event in page.events),
            next_after_seq=page.next_after_seq,
            more=page.more,
            closed=page.closed,
            trouble=page.trouble,
        )

    def page(self) -> EventsPage:
        return EventsPage(
            workflow_id=self.workflow_id,
            run_id=self.run_id,
            events=tuple(event_from_json(msgspec.structs.asdict(event)) for event in self.events),
            next_after_seq=self.next_after_seq,
            more=self.more,
            closed=self.closed,
            trouble=self.trouble,
        )


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was not carried out (RFC 9457). ``code`` is stable; ``detail`` is for people."""

    title: str
    status: int
    detail: str
    code: str
    """A reason of a refusal (``not_found``, ``already_started``, ...) or a status code in lower case."""
    run_id: str | None = None
    failure: Failure | None = None

    def rejection(self) -> Rejection | None:
        """The engine's refusal; ``None`` if it was not the engine that refused."""
        try:
            reason = Reason(self.code)
        except ValueError:
            return None
        return Rejection(
            reason=reason,
            message=self.detail,
            run_id=run_id_or_none(self.run_id),
            failure=self.failure,
        )

    @property
    def rpc_status(self) -> RPCStatusCode:
        return RPCStatusCode.__members__.get(
            self.code.removeprefix("rpc_").upper(), RPCStatusCode.UNKNOWN
        )


HTTP_OF_STATUS: dict[RPCStatusCode, int] = {
    RPCStatusCode.CANCELLED: 503,
    RPCStatusCode.INVALID_ARGUMENT: 400,
    RPCStatusCode.DEADLINE_EXCEEDED: 504,
    RPCStatusCode.NOT_FOUND: 404,
    RPCStatusCode.ALREADY_EXISTS: 409,
    RPCStatusCode.PERMISSION_DENIED: 403,
    RPCStatusCode.UNAUTHENTICATED: 401,
    RPCStatusCode.RESOURCE_EXHAUSTED: 429,
    RPCStatusCode.FAILED_PRECONDITION: 409,
    RPCStatusCode.ABORTED: 409,
    RPCStatusCode.UNIMPLEMENTED: 501,
    RPCStatusCode.UNAVAILABLE: 503,
}


def rpc_code(status: RPCStatusCode) -> str:
    """The problem's ``code`` for what the transport could not do; never one of the engine's reasons."""
    return f"rpc_{status.name.lower()}"
