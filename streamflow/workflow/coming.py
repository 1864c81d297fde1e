"""Names of the API that this version has and does not do yet: each says so when it is called."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, NoReturn, TypedDict


def not_yet(name: str) -> Callable[..., NoReturn]:
    """A function that raises NotImplementedError in this name."""

    def function(*args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError(
            f"Expected a function of this version of streamflow, found workflow.{name}(), which is not supported yet"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Not supported yet: raises NotImplementedError."
    return function


class ChildWorkflowCancellationType(Enum):
    """What awaiting a cancelled child workflow does."""

    ABANDON = 0
    TRY_CANCEL = 1
    WAIT_CANCELLATION_COMPLETED = 2
    WAIT_CANCELLATION_REQUESTED = 3


class ParentClosePolicy(Enum):
    """What becomes of a child when its parent ends."""

    UNSPECIFIED = 0
    TERMINATE = 1
    ABANDON = 2
    REQUEST_CANCEL = 3


class ChildWorkflowConfig(TypedDict, total=False):
    """Options of a child workflow, for ``**options``."""

    id: str | None
    task_queue: str | None
    cancellation_type: ChildWorkflowCancellationType
    parent_close_policy: ParentClosePolicy
    memo: dict[str, Any] | None
    static_summary: str | None
    static_details: str | None


class UnfinishedSignalHandlersWarning(RuntimeWarning):
    """A run ended while signal handlers were at work."""


class UnfinishedUpdateHandlersWarning(RuntimeWarning):
    """A run ended while update handlers were at work."""


start_child_workflow = not_yet("start_child_workflow")
execute_child_workflow = not_yet("execute_child_workflow")
get_external_workflow_handle = not_yet("get_external_workflow_handle")
get_external_workflow_handle_for = not_yet("get_external_workflow_handle_for")
signal_with_start_workflow = not_yet("signal_with_start_workflow")
get_update_handler = not_yet("get_update_handler")
set_update_handler = not_yet("set_update_handler")
get_dynamic_update_handler = not_yet("get_dynamic_update_handler")
set_dynamic_update_handler = not_yet("set_dynamic_update_handler")
metric_meter = not_yet("metric_meter")
create_nexus_client = not_yet("create_nexus_client")
