"""Names of the activities that clients start: each is a run of one built-in workflow, on a queue of the namespace's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from streamflow.model.ids import WorkflowId
from streamflow.model.options import ActivityTimeouts, RetryPolicy
from streamflow.model.payload import Payload, Payloads

QUEUE: Final = "streamflow-activities"
"""Its processors are the namespace's activity workers, all with the same one workflow."""

WORKFLOW_TYPE: Final = "streamflow.StandaloneActivity"

ACTIVITY_ID: Final = "ActivityId"
ACTIVITY_TYPE: Final = "ActivityType"
TASK_QUEUE: Final = "ActivityTaskQueue"
"""Search attributes of each run, so that lists find it by what its caller knows."""

_PREFIX: Final = "activity/"
"""No workflow of a user's has such an ID on that queue: nobody else starts any there."""


def workflow_id_of(activity_id: str) -> WorkflowId:
    return WorkflowId(_PREFIX + activity_id)


def activity_id_of(workflow_id: str) -> str:
    return workflow_id.removeprefix(_PREFIX)


class StandaloneSpec(msgspec.Struct, frozen=True, kw_only=True):
    """What a client has asked for: the only argument of the built-in workflow."""

    activity_id: str
    activity_type: str
    queue: str
    args: Payloads = ()
    headers: Mapping[str, Payload] = {}
    timeouts: ActivityTimeouts
    retry_policy: RetryPolicy = RetryPolicy()
    summary: str = ""
    priority: int = 0
    fairness_key: str = ""
    fairness_weight: float = 1.0
    start_delay_ms: int = 0


_MARK: Final = b"binary/streamflow-activity"
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StandaloneSpec).decode


def encode_spec(spec: StandaloneSpec) -> Payload:
    """As it stands in the log. Arguments in it are as the client's converter and codec made them; the rest is open."""
    return Payload(metadata={"encoding": _MARK}, data=_encode(spec))


def decode_spec(payload: Payload) -> StandaloneSpec:
    return _decode(payload.data)
