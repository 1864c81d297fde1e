"""The raw services of the model, which are gRPC there: here their requests are answered by the client's own calls.

What a client can ask of a log, or of a gateway, is declared below by the messages of each call; `streamflow.client.raw`
answers it. Every other call raises, and says what to use instead. ``retry`` and ``metadata`` are there for ported code.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from streamflow.api.message import Message
from streamflow.api.operatorservice import v1 as operator
from streamflow.api.workflowservice import v1 as messages
from streamflow.service import above

if TYPE_CHECKING:
    from streamflow.service.connection import ServiceClient

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)

_NO_METADATA: Mapping[str, str | bytes] = {}


class BoundCall(Generic[RequestT, ResponseT]):
    """A call of one connection."""

    def __init__(
        self, service: RawService, name: str, takes: type[RequestT], gives: type[ResponseT]
    ) -> None:
        self._service = service
        self._name = name
        self._takes = takes
        self._gives = gives

    async def __call__(
        self,
        req: RequestT,
        retry: bool = False,
        metadata: Mapping[str, str | bytes] = _NO_METADATA,
        timeout: timedelta | None = None,  # noqa: ASYNC109  # the model's name
    ) -> ResponseT:
        """The answer, within ``timeout``; 10 s by default.

        Raises:
            RPCError: as the methods of `Client` and of its handles do. No other class is raised for a refusal.
        """
        if not isinstance(req, self._takes):
            raise TypeError(
                f"Expected a {self._takes.__name__} for {self._service.name}.{self._name}, found {req!r}"
            )
        answer = await above.answer(self._service.connection, self._name, req, timeout)
        return cast("ResponseT", answer)


class Call(Generic[RequestT, ResponseT]):
    """Declares a call by its messages: ``await service.call(request)``."""

    def __init__(self, takes: type[RequestT], gives: type[ResponseT]) -> None:
        self.takes = takes
        self.gives = gives
        self.name = ""

    def __set_name__(self, owner: type[RawService], name: str) -> None:
        self.name = name

    def __get__(
        self, service: RawService, owner: type[RawService]
    ) -> BoundCall[RequestT, ResponseT]:
        return BoundCall(service, self.name, self.takes, self.gives)


class RawService:
    """Raises on every use of a name that it does not declare."""

    name: ClassVar[str]
    instead: ClassVar[str]
    """What to use in general ..."""
    instead_of: ClassVar[Mapping[str, str]] = {}
    """... and for single calls."""

    def __init__(self, connection: ServiceClient) -> None:
        self.connection = connection

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        advice = self.instead_of.get(method, self.instead)
        raise NotImplementedError(
            f"Expected a call that needs no gRPC service, found {self.name}.{method}: {advice}"
        )


class WorkflowService(RawService):
    """Runs, schedules, namespaces and queues."""

    name = "WorkflowService"
    instead = "use the methods of Client and of its handles"
    instead_of: ClassVar = {
        "execute_multi_operation": "use Client.execute_update_with_start_workflow",
        "update_workflow_execution": "use WorkflowHandle.execute_update or start_update",
        "poll_workflow_execution_update": "use WorkflowHandle.get_update_handle(...).result()",
        "list_open_workflow_executions": "use list_workflow_executions with ExecutionStatus = 'Running'",
        "list_closed_workflow_executions": "use list_workflow_executions with CloseTime IS NOT NULL",
        "start_batch_operation": "use Client.batch",
        "record_activity_task_heartbeat": "use Client.get_async_activity_handle",
        "respond_activity_task_completed": "use Client.get_async_activity_handle",
        "respond_activity_task_failed": "use Client.get_async_activity_handle",
        "respond_activity_task_canceled": "use Client.get_async_activity_handle",
        "start_activity_execution": "use Client.start_activity",
        "describe_activity_execution": "use ActivityHandle.describe",
        "list_activity_executions": "use Client.list_activities",
        "poll_workflow_task_queue": "a Worker takes tasks",
        "poll_activity_task_queue": "a Worker takes tasks",
        "describe_worker_deployment": "no version is current here: a deployment that runs, takes part",
        "set_worker_deployment_current_version": "no version is promoted here: a deployment that runs, takes part",
        "set_worker_deployment_ramping_version": "no version is promoted here: a deployment that runs, takes part",
        "get_worker_task_reachability": "build IDs have no sets here; describe_task_queue says who serves a queue",
        "update_namespace": "use `streamflow namespace update`",
        "deprecate_namespace": "use `streamflow namespace delete`",
    }

    # Runs: what they are, and lists of them.
    describe_workflow_execution = Call(
        messages.DescribeWorkflowExecutionRequest, messages.DescribeWorkflowExecutionResponse
    )
    get_workflow_execution_history = Call(
        messages.GetWorkflowExecutionHistoryRequest, messages.GetWorkflowExecutionHistoryResponse
    )
    list_workflow_executions = Call(
        messages.ListWorkflowExecutionsRequest, messages.ListWorkflowExecutionsResponse
    )
    count_workflow_executions = Call(
        messages.CountWorkflowExecutionsRequest, messages.CountWorkflowExecutionsResponse
    )
    query_workflow = Call(messages.QueryWorkflowRequest, messages.QueryWorkflowResponse)

    # Starts, messages and ends.
    start_workflow_execution = Call(
        messages.StartWorkflowExecutionRequest, messages.StartWorkflowExecutionResponse
    )
    signal_with_start_workflow_execution = Call(
        messages.SignalWithStartWorkflowExecutionRequest,
        messages.SignalWithStartWorkflowExecutionResponse,
    )
    signal_workflow_execution = Call(
        messages.SignalWorkflowExecutionRequest, messages.SignalWorkflowExecutionResponse
    )
    request_cancel_workflow_execution = Call(
        messages.RequestCancelWorkflowExecutionRequest,
        messages.RequestCancelWorkflowExecutionResponse,
    )
    terminate_workflow_execution = Call(
        messages.TerminateWorkflowExecutionRequest, messages.TerminateWorkflowExecutionResponse
    )

    # An operator's hand on them.
    reset_workflow_execution = Call(
        messages.ResetWorkflowExecutionRequest, messages.ResetWorkflowExecutionResponse
    )
    delete_workflow_execution = Call(
        messages.DeleteWorkflowExecutionRequest, messages.DeleteWorkflowExecutionResponse
    )
    pause_workflow_execution = Call(
        messages.PauseWorkflowExecutionRequest, messages.PauseWorkflowExecutionResponse
    )
    unpause_workflow_execution = Call(
        messages.UnpauseWorkflowExecutionRequest, messages.UnpauseWorkflowExecutionResponse
    )
    pause_activity = Call(messages.PauseActivityRequest, messages.PauseActivityResponse)
    unpause_activity = Call(messages.UnpauseActivityRequest, messages.UnpauseActivityResponse)
    reset_activity = Call(messages.ResetActivityRequest, messages.ResetActivityResponse)
    update_activity_options = Call(
        messages.UpdateActivityOptionsRequest, messages.UpdateActivityOptionsResponse
    )

    # Schedules.
    create_schedule = Call(messages.CreateScheduleRequest, messages.CreateScheduleResponse)
    describe_schedule = Call(messages.DescribeScheduleRequest, messages.DescribeScheduleResponse)
    update_schedule = Call(messages.UpdateScheduleRequest, messages.UpdateScheduleResponse)
    patch_schedule = Call(messages.PatchScheduleRequest, messages.PatchScheduleResponse)
    list_schedules = Call(messages.ListSchedulesRequest, messages.ListSchedulesResponse)
    list_schedule_matching_times = Call(
        messages.ListScheduleMatchingTimesRequest, messages.ListScheduleMatchingTimesResponse
    )
    delete_schedule = Call(messages.DeleteScheduleRequest, messages.DeleteScheduleResponse)

    # What they live in.
    describe_namespace = Call(messages.DescribeNamespaceRequest, messages.DescribeNamespaceResponse)
    list_namespaces = Call(messages.ListNamespacesRequest, messages.ListNamespacesResponse)
    register_namespace = Call(messages.RegisterNamespaceRequest, messages.RegisterNamespaceResponse)
    describe_task_queue = Call(
        messages.DescribeTaskQueueRequest, messages.DescribeTaskQueueResponse
    )
    get_search_attributes = Call(
        messages.GetSearchAttributesRequest, messages.GetSearchAttributesResponse
    )
    get_system_info = Call(messages.GetSystemInfoRequest, messages.GetSystemInfoResponse)
    get_cluster_info = Call(messages.GetClusterInfoRequest, messages.GetClusterInfoResponse)


class OperatorService(RawService):
    """Search attributes."""

    name = "OperatorService"
    instead = "use the `streamflow namespace` and `streamflow topology` commands"

    add_search_attributes = Call(
        operator.AddSearchAttributesRequest, operator.AddSearchAttributesResponse
    )
    list_search_attributes = Call(
        operator.ListSearchAttributesRequest, operator.ListSearchAttributesResponse
    )
    remove_search_attributes = Call(
        operator.RemoveSearchAttributesRequest, operator.RemoveSearchAttributesResponse
    )


class CloudService(RawService):
    """Raises on every use."""

    name = "CloudService"
    instead = "there is no cloud service; operate your own Kafka"


class TestService(RawService):
    """Raises on every use."""

    __test__ = False
    name = "TestService"
    instead = "use streamflow.testing.WorkflowEnvironment, which skips time by itself"


class HealthService(RawService):
    """Raises on every use."""

    name = "HealthService"
    instead = "use ServiceClient.check_health()"
