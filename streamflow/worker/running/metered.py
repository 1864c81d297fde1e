"""Counts and times activities and ends of workflows, where the runtime of a worker's client keeps metrics.

An interceptor inside of all others, so that their work does not count. Steps that are replayed record nothing.
"""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from streamflow import activity, workflow
from streamflow.exceptions import is_cancelled_exception
from streamflow.worker.capacity.workflow_slots import WorkflowSlots
from streamflow.worker.interceptor import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
    WorkflowInterceptorClassInput,
)
from streamflow.worker.running.outcomes import is_benign
from streamflow.workflow.inputs import ExecuteWorkflowInput
from streamflow.workflow.interceptor import WorkflowInboundInterceptor

if TYPE_CHECKING:
    from streamflow.processor.host.surroundings import Stepped
    from streamflow.worker.setup import Setup


class Metered(Interceptor):
    """Names begin with ``prefix``; attributes are those of the meters of workflows and activities."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _MeteredActivity(next, self._prefix)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        class MeteredRun(_MeteredRun):
            prefix = self._prefix

        return MeteredRun


class _MeteredActivity(ActivityInboundInterceptor):
    """``activity_execution_latency`` of each attempt, ``activity_execution_failed`` and ``activity_execution_cancelled``;
    local ones as ``local_activity_...``."""

    def __init__(self, next: ActivityInboundInterceptor, prefix: str) -> None:
        super().__init__(next)
        self._prefix = prefix

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        meter = activity.metric_meter()
        kind = "local_activity" if activity.info().is_local else "activity"
        name = f"{self._prefix}{kind}_execution"
        began_s = time.monotonic()
        try:
            return await super().execute_activity(input)
        except activity.CompleteAsyncError:
            raise  # how it ends is not known yet
        except BaseException as error:
            if not is_benign(error):
                how = "cancelled" if is_cancelled_exception(error) else "failed"
                meter.create_counter(f"{name}_{how}").add(1)
            raise
        finally:
            took = timedelta(seconds=time.monotonic() - began_s)
            meter.create_histogram_timedelta(f"{name}_latency").record(took)


class _MeteredRun(WorkflowInboundInterceptor):
    """``workflow_completed``, ``workflow_failed``, ``workflow_canceled``, ``workflow_continue_as_new``, and
    ``workflow_endtoend_latency`` of runs that ended; ``workflow_task_execution_failed`` of code that is at fault."""

    prefix: str

    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        try:
            result = await super().execute_workflow(input)
        except workflow.ContinueAsNewError:
            self._ended("workflow_continue_as_new")
            raise
        except (Exception, asyncio.CancelledError) as error:
            self._ended(_end_by(error))
            raise
        self._ended("workflow_completed")
        return result

    def _ended(self, how: str) -> None:
        meter = workflow.metric_meter()
        if how:
            meter.create_counter(self.prefix + how).add(1)
        if how == "workflow_task_execution_failed":
            return
        took = workflow.now() - workflow.info().start_time
        latency = meter.create_histogram_timedelta(f"{self.prefix}workflow_endtoend_latency")
        latency.record(max(took, timedelta()))


def told_of_steps(setup: Setup, slots: WorkflowSlots | None) -> Stepped | None:
    """Who is told of each step: the runtime's metrics, a supplier of slots, both or nobody."""
    count = _latency(setup) if setup.client.runtime.has_metrics else None
    if count is None or slots is None:
        return count if slots is None else slots.stepped

    def both(workflow_type: str, took_s: float) -> None:
        count(workflow_type, took_s)
        slots.stepped(workflow_type, took_s)

    return both


def _latency(setup: Setup) -> Stepped:
    """Records ``workflow_task_execution_latency``: what the code of one step took, replay aside."""
    runtime = setup.client.runtime
    meter = runtime.metric_meter.with_additional_attributes(
        {"namespace": setup.client.namespace, "task_queue": setup.queue}
    )
    name = f"{runtime.metric_prefix}workflow_task_execution_latency"
    latency = meter.create_histogram_timedelta(name)

    def stepped(workflow_type: str, took_s: float) -> None:
        latency.record(timedelta(seconds=took_s), {"workflow_type": workflow_type})

    return stepped


def _end_by(error: BaseException) -> str:
    """The counter of such ends; none for a failure that was expected."""
    if workflow.cancellation_reason() is not None and is_cancelled_exception(error):
        return "workflow_canceled"
    if isinstance(error, asyncio.CancelledError) or workflow.is_failure_exception(error):
        return "" if is_benign(error) else "workflow_failed"
    return "workflow_task_execution_failed"
