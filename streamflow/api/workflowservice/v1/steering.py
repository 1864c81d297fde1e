"""Messages of an operator's hand on runs and on their pending activities."""

from __future__ import annotations

from typing import ClassVar

from streamflow.api.activity.v1 import ActivityOptions
from streamflow.api.common.v1 import WorkflowExecution
from streamflow.api.enums.v1 import ResetReapplyExcludeType, ResetReapplyType
from streamflow.api.field_mask import FieldMask
from streamflow.api.message import Message, child, field
from streamflow.api.message_fields import choice, long
from streamflow.api.message_tables import choices
from streamflow.api.times import Duration


class ResetWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_execution = child(2, WorkflowExecution)
    reason = field(3, "")
    workflow_task_finish_event_id = long(4)
    request_id = field(5, "")
    reset_reapply_type = choice(6, ResetReapplyType)
    reset_reapply_exclude_types = choices(7, ResetReapplyExcludeType)
    identity = field(9, "")


class ResetWorkflowExecutionResponse(Message):
    run_id = field(1, "")


class DeleteWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_execution = child(2, WorkflowExecution)


class DeleteWorkflowExecutionResponse(Message):
    """Nothing."""


class PauseWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_id = field(2, "")
    run_id = field(3, "")
    identity = field(4, "")
    reason = field(5, "")
    request_id = field(6, "")


class PauseWorkflowExecutionResponse(Message):
    """Nothing."""


class UnpauseWorkflowExecutionRequest(Message):
    namespace = field(1, "")
    workflow_id = field(2, "")
    run_id = field(3, "")
    identity = field(4, "")
    reason = field(5, "")
    request_id = field(6, "")


class UnpauseWorkflowExecutionResponse(Message):
    """Nothing."""


class PauseActivityRequest(Message):
    _oneofs: ClassVar = {"activity": ("id", "type")}

    namespace = field(1, "")
    execution = child(2, WorkflowExecution)
    identity = field(3, "")
    id = field(4, "")
    type = field(5, "")
    reason = field(6, "")
    request_id = field(7, "")


class PauseActivityResponse(Message):
    """Nothing."""


class UnpauseActivityRequest(Message):
    _oneofs: ClassVar = {"activity": ("id", "type", "unpause_all")}

    namespace = field(1, "")
    execution = child(2, WorkflowExecution)
    identity = field(3, "")
    id = field(4, "")
    type = field(5, "")
    unpause_all = field(6, False)
    reset_attempts = field(7, False)
    reset_heartbeat = field(8, False)
    jitter = child(9, Duration)


class UnpauseActivityResponse(Message):
    """Nothing."""


class ResetActivityRequest(Message):
    _oneofs: ClassVar = {"activity": ("id", "type", "match_all")}

    namespace = field(1, "")
    execution = child(2, WorkflowExecution)
    identity = field(3, "")
    id = field(4, "")
    type = field(5, "")
    reset_heartbeat = field(6, False)
    keep_paused = field(7, False)
    jitter = child(8, Duration)
    restore_original_options = field(9, False)
    match_all = field(10, False)


class ResetActivityResponse(Message):
    """Nothing."""


class UpdateActivityOptionsRequest(Message):
    _oneofs: ClassVar = {"activity": ("id", "type", "match_all")}

    namespace = field(1, "")
    execution = child(2, WorkflowExecution)
    identity = field(3, "")
    activity_options = child(4, ActivityOptions)
    update_mask = child(5, FieldMask)
    id = field(6, "")
    type = field(7, "")
    restore_original = field(8, False)
    match_all = field(9, False)


class UpdateActivityOptionsResponse(Message):
    activity_options = child(1, ActivityOptions)
