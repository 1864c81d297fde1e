"""The public HTTP API's words about pending activities: what `api_v1` has for workflows."""

from __future__ import annotations

from typing import Any

import msgspec

from streamflow.client.calls.address import run_id_or_none
from streamflow.model.activity_options import OptionsChange
from streamflow.model.commands import (
    ActivityControl,
    ActivityOutcome,
    ControlActivity,
    HeartbeatActivity,
    ReportActivity,
    TaskRef,
)
from streamflow.model.failure import Failure
from streamflow.model.ids import WorkflowId
from streamflow.model.payload import Payload, Payloads


class ReportBody(msgspec.Struct, frozen=True, kw_only=True):
    """An activity's end, by its task token's parts or by its ID (``task.activity_id``, the rest of ``task`` empty)."""

    task: TaskRef
    outcome: ActivityOutcome
    result: Payload | None = None
    failure: Failure | None = None
    identity: str = ""
    heartbeat_details: Payloads | None = None

    def command(self, workflow_id: str) -> ReportActivity:
        return ReportActivity(workflow_id=WorkflowId(workflow_id), **fields_of(self))


class HeartbeatBody(msgspec.Struct, frozen=True, kw_only=True):
    task: TaskRef
    details: Payloads = ()
    identity: str = ""

    def command(self, workflow_id: str) -> HeartbeatActivity:
        return HeartbeatActivity(workflow_id=WorkflowId(workflow_id), **fields_of(self))


class ControlBody(msgspec.Struct, frozen=True, kw_only=True):
    """Pauses, lets go on, resets or gives other options to a pending activity, or all of a type."""

    control: ActivityControl
    run_id: str | None = None
    activity_id: str = ""
    activity_type: str = ""
    reason: str = ""
    identity: str = ""
    reset_attempts: bool = False
    reset_heartbeat: bool = False
    keep_paused: bool = False
    options: OptionsChange | None = None
    restore_options: bool = False

    def command(self, workflow_id: str) -> ControlActivity:
        given: dict[str, Any] = fields_of(self) | {"run_id": run_id_or_none(self.run_id)}
        return ControlActivity(workflow_id=WorkflowId(workflow_id), **given)


def fields_of(body: msgspec.Struct) -> dict[str, Any]:
    return {name: getattr(body, name) for name in body.__struct_fields__}
