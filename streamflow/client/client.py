"""The client: a namespace of one log (or gateway), and the workflows in it."""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    NoReturn,
    ParamSpec,
    Self,
    TypedDict,
    TypeVar,
)

from streamflow.client import async_activity, connecting, finding, naming, starting
from streamflow.client.errors import NotYetError
from streamflow.client.handle import WorkflowHandle
from streamflow.client.interceptor import Interceptor, OutboundInterceptor
from streamflow.client.root import Root
from streamflow.client.transport import Transport
from streamflow.common import HeaderCodecBehavior, QueryRejectCondition
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.converter import DataConverter

if TYPE_CHECKING:
    from streamflow.ports import Log

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")
Params = ParamSpec("Params")

QUEUES_REMEMBERED_MAX = 10_000
"""Workflow IDs whose queue a client remembers, the oldest forgotten first."""


class ClientConfig(TypedDict, total=False):
    """What a client was made of; `Client(**config)` makes another."""

    service_client: Transport
    namespace: str
    data_converter: DataConverter
    interceptors: Sequence[Interceptor]
    identity: str
    default_workflow_query_reject_condition: QueryRejectCondition | None
    header_codec_behavior: HeaderCodecBehavior


class Client:
    """Starts workflows and speaks to them. Made by `Client.connect`; used from one event loop.

    Example::

        client = await Client.connect("localhost:9092")
        result = await client.execute_workflow(Greet.run, "World", id="greet-1", task_queue="greetings")
    """

    def __init__(
        self,
        service_client: Transport,
        *,
        namespace: str | None = None,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        identity: str | None = None,
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
    ) -> None:
        self._transport = service_client
        self._namespace = namespace or service_client.namespace
        self._data_converter = data_converter
        self._identity = identity or f"{os.getpid()}@{socket.gethostname()}"
        self.default_workflow_query_reject_condition = default_workflow_query_reject_condition
        self.header_codec_behavior = header_codec_behavior
        self._queue_of: dict[str, str] = {}
        self._interceptors = tuple(interceptors)
        self._root = Root(self)
        self._outbound: OutboundInterceptor = self._root
        for interceptor in reversed(self._interceptors):
            self._outbound = interceptor.intercept_client(self._outbound)

    @staticmethod
    async def connect(
        target: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        identity: str | None = None,
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
        lazy: bool = False,
        create_topics: bool | None = None,
        config: Mapping[str, Any] | None = None,
        visibility: str | None = None,
        plugins: Sequence[Any] = (),
    ) -> Client:
        """A client of ``"host:port"`` (Kafka), ``"embedded:DIR"``, ``"memory:NAME"`` or ``"http://..."`` (a gateway).

        Args:
            interceptors: Stand between callers and the log; the first is outermost. One that is a worker interceptor too
                is used by this client's Workers as well.
            header_codec_behavior: Whether the payload codec encodes the headers that interceptors set. Default: no.
            lazy: Connect at the first call rather than now.
            create_topics: Create topics that are missing. Default: not on Kafka, where `streamflow topology apply` does.
            config: Further options of librdkafka, passed on untouched (TLS, SASL and so on).
            visibility: Where lists of workflows are kept: ``sqlite:///FILE`` or ``postgresql://...``, which many clients may
                share. Default: in the embedded log's folder, else in memory, built when the first list is asked for.

        Raises:
            RPCError: nobody can be reached there, or the namespace has no topics.
        """
        if plugins:
            raise NotYetError("Client plugins")
        transport = await connecting.connect(
            target,
            namespace=namespace,
            create_topics=create_topics,
            config=config or {},
            visibility=visibility,
        )
        client = Client(
            transport,
            data_converter=data_converter,
            interceptors=interceptors,
            identity=identity,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )
        if not lazy:
            try:
                await transport.open()
            except BaseException:
                await transport.close()
                raise
        return client

    async def close(self) -> None:
        """Ends the connection. Calls under way raise; their commands may still take effect."""
        await self._transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # -- what it is ---------------------------------------------------------------------------------------------

    @property
    def transport(self) -> Transport:
        return self._transport

    @property
    def service_client(self) -> Transport:
        """What carries the commands; the same as `transport`."""
        return self._transport

    @property
    def log(self) -> Log:
        """The log itself, for a Worker. Raises `ValueError` for a client of a gateway, which has none."""
        return connecting.log_of(self._transport)

    @property
    def create_topics(self) -> bool:
        return connecting.creates_topics(self._transport)

    @property
    def namespace(self) -> str:
        return self._namespace

    @property
    def identity(self) -> str:
        return self._identity

    @property
    def data_converter(self) -> DataConverter:
        return self._data_converter

    @property
    def outbound(self) -> OutboundInterceptor:
        """What calls go through: the first interceptor, or `root` if there is none."""
        return self._outbound

    @property
    def worker_interceptors(self) -> Sequence[Interceptor]:
        """All interceptors in use; a Worker takes those that are for workers too."""
        return self._interceptors

    @property
    def root(self) -> Root:
        """What does the work, behind the last interceptor."""
        return self._root

    def config(self) -> ClientConfig:
        """The arguments of an equal client."""
        return ClientConfig(
            service_client=self._transport,
            namespace=self._namespace,
            data_converter=self._data_converter,
            interceptors=self._interceptors,
            identity=self._identity,
            default_workflow_query_reject_condition=self.default_workflow_query_reject_condition,
            header_codec_behavior=self.header_codec_behavior,
        )

    # -- starting -----------------------------------------------------------------------------------------------

    # Groups of calls live in modules of their own, as functions whose first parameter is the client.
    start_workflow = starting.start_workflow
    execute_workflow = starting.execute_workflow

    # -- finding ------------------------------------------------------------------------------------------------

    def get_workflow_handle(
        self,
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        result_type: type | None = None,
        task_queue: str | None = None,
    ) -> WorkflowHandle[Any, Any]:
        """A handle to a workflow that may exist; nothing is asked yet. The queue is found unless it is named."""
        return WorkflowHandle(
            self,
            workflow_id,
            run_id=run_id,
            result_run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=result_type,
            task_queue=task_queue or self._queue_of.get(workflow_id),
        )

    def get_workflow_handle_for(
        self,
        workflow: Callable[Concatenate[SelfT, Params], Awaitable[ResultT]],
        workflow_id: str,
        *,
        run_id: str | None = None,
        first_execution_run_id: str | None = None,
        task_queue: str | None = None,
    ) -> WorkflowHandle[SelfT, ResultT]:
        """As `get_workflow_handle`, with the types of this workflow's ``run``."""
        _, hint = naming.workflow_name(workflow)
        return self.get_workflow_handle(
            workflow_id,
            run_id=run_id,
            first_execution_run_id=first_execution_run_id,
            result_type=hint,
            task_queue=task_queue,
        )

    list_workflows = finding.list_workflows
    count_workflows = finding.count_workflows

    async def find_queue(self, workflow_id: str, run_id: str | None = None) -> str:
        """The queue that a workflow is on.

        Raises:
            RPCError: NOT_FOUND on no queue; FAILED_PRECONDITION on two; UNAVAILABLE when a queue cannot say.
        """
        queue = self._queue_of.get(workflow_id)
        if queue is None:
            queue = await self._transport.find_queue(workflow_id, run_id)
            self.remember_queue(workflow_id, queue)
        return queue

    def remember_queue(self, workflow_id: str, queue: str) -> None:
        """For calls that name no queue; the oldest of many is forgotten."""
        queue_of = self._queue_of
        if len(queue_of) >= QUEUES_REMEMBERED_MAX and workflow_id not in queue_of:
            del queue_of[next(iter(queue_of))]
        queue_of[workflow_id] = queue

    get_async_activity_handle = async_activity.get_async_activity_handle

    # -- not in this release ------------------------------------------------------------------------------------

    async def execute_update_with_start_workflow(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("Client.execute_update_with_start_workflow")

    async def start_update_with_start_workflow(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("Client.start_update_with_start_workflow")

    async def create_schedule(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("Client.create_schedule")

    def get_schedule_handle(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("Client.get_schedule_handle")

    async def list_schedules(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("Client.list_schedules")

    async def start_activity(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("Client.start_activity")

    async def execute_activity(self, *_args: Any, **_options: Any) -> NoReturn:
        raise NotYetError("Client.execute_activity")
