"""The task token that activity code is given: names one attempt wherever it is used, and proves that the task was given."""

from __future__ import annotations

from typing import Final

import msgspec

from streamflow.model.commands import TaskRef
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.tasks import ActivityTask

_MARK: Final = b"sf1"


class TaskToken(msgspec.Struct, frozen=True, array_like=True):
    """What a token says. Opaque to users: its bytes may change with any release but for the mark."""

    queue: str
    """Of the workflow: its inbox hears of the activity's end."""
    workflow_id: str
    run_id: str
    op: int
    attempt: int
    secret: bytes

    @property
    def ref(self) -> TaskRef:
        return TaskRef(
            run_id=RunId(self.run_id), op=Op(self.op), attempt=self.attempt, token=self.secret
        )

    @property
    def workflow(self) -> WorkflowId:
        return WorkflowId(self.workflow_id)


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(TaskToken).decode


def encode_task_token(task: ActivityTask) -> bytes:
    token = TaskToken(
        task.workflow_queue, task.workflow_id, task.run_id, task.op, task.attempt, task.token
    )
    return _MARK + _encode(token)


def decode_task_token(token: bytes) -> TaskToken:
    """Raises ValueError for bytes that were never a token of ours."""
    if not token.startswith(_MARK):
        raise ValueError(
            f"Expected a task token as activity.info().task_token gives it, found {token[:20]!r}"
        )
    try:
        return _decode(token[len(_MARK) :])
    except msgspec.DecodeError as error:
        raise ValueError(f"Expected a whole task token, found a damaged one: {error}") from error
