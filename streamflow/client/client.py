"""The client: a namespace of one log (or gateway), and the workflows in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    Any,
    ParamSpec,
    Required,
    Self,
    TypedDict,
    TypeVar,
)

from streamflow.client import connecting, retired
from streamflow.client.activities import completing as async_activity
from streamflow.client.activities import listing as activity_listing
from streamflow.client.activities import starting as activity_starting
from streamflow.client.calls.start import NO_METADATA
from streamflow.client.interceptor import Interceptor, OutboundInterceptor
from streamflow.client.metered import Metered
from streamflow.client.plugin import Connect, Plugin
from streamflow.client.root import Root
from streamflow.client.schedules import creating as scheduling
from streamflow.client.transport import Transport
from streamflow.client.workflows import batch as batching
from streamflow.client.workflows import finding, starting, with_start
from streamflow.common import HeaderCodecBehavior, QueryRejectCondition
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.converter import DataConverter
from streamflow.service import (
    ConnectConfig,
    DnsLoadBalancingConfig,
    GrpcCompression,
    HttpConnectProxyConfig,
    KeepAliveConfig,
    OperatorService,
    PayloadLimitsConfig,
    RetryConfig,
    ServiceClient,
    TestService,
    TLSConfig,
    WorkflowService,
)

if TYPE_CHECKING:
    from streamflow.ports import Log
    from streamflow.runtime import Runtime

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
ResultT = TypeVar("ResultT")
Params = ParamSpec("Params")

DEFAULT_LIMITS = PayloadLimitsConfig()


class ClientConfig(TypedDict, total=False):
    """What a client was made of; `Client(**config)` makes another."""

    service_client: Required[ServiceClient]
    namespace: Required[str]
    data_converter: Required[DataConverter]
    plugins: Required[Sequence[Plugin]]
    interceptors: Required[Sequence[Interceptor]]
    default_workflow_query_reject_condition: Required[QueryRejectCondition | None]
    header_codec_behavior: Required[HeaderCodecBehavior]


class Client:
    """Starts workflows and speaks to them. Made by `Client.connect`; used from one event loop.

    Example::

        client = await Client.connect("localhost:9092")
        result = await client.execute_workflow(Greet.run, "World", id="greet-1", task_queue="greetings")
    """

    @classmethod
    async def connect(
        cls,
        target_host: str,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        api_key: str | None = None,
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = (),
        interceptors: Sequence[Interceptor] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        tls: bool | TLSConfig | None = None,
        retry_config: RetryConfig | None = None,
        keep_alive_config: KeepAliveConfig | None = KeepAliveConfig.default,
        rpc_metadata: Mapping[str, str | bytes] = NO_METADATA,
        identity: str | None = None,
        lazy: bool = False,
        runtime: Runtime | None = None,
        http_connect_proxy_config: HttpConnectProxyConfig | None = None,
        dns_load_balancing_config: DnsLoadBalancingConfig | None = None,
        grpc_compression: GrpcCompression = GrpcCompression.GZIP,
        payload_limits: PayloadLimitsConfig = DEFAULT_LIMITS,
        connect_timeout: timedelta | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
        create_topics: bool | None = None,
        config: Mapping[str, Any] | None = None,
        visibility: str | None = None,
    ) -> Self:
        """A client of ``"host:port"`` (Kafka), ``"embedded:DIR"``, ``"memory:NAME"`` or ``"http://..."`` (a gateway).

        Args:
            plugins: Change the settings and the connection; the first is asked first. One that is a worker plugin too is
                used by this client's Workers as well.
            interceptors: Stand between callers and the log; the first is outermost. One that is a worker interceptor too
                is used by this client's Workers as well.
            tls: True, or certificates of one's own, for Kafka over TLS. Default: off.
            api_key: A gateway's bearer token. Refused for Kafka: its credentials go into ``config``.
            rpc_metadata: A gateway's HTTP headers.
            lazy: Connect at the first call rather than now.
            runtime: Where metrics go. Default: `Runtime.default`.
            data_converter: How values are stored. On an embedded log it keeps payloads from 256 KiB on as files beside the
                log, unless it has an external storage of its own.
            header_codec_behavior: Whether the payload codec encodes the headers that interceptors set. Default: no.
            create_topics: Create topics that are missing. Default: not on Kafka, where `streamflow topology apply` does.
            config: Further options of librdkafka, passed on untouched (SASL and so on).
            visibility: Where lists of workflows are kept: ``sqlite:///FILE`` or ``postgresql://...``, which many clients may
                share. Default: in the embedded log's folder, else in memory, built when the first list is asked for.

        The other settings are there for ported code; `streamflow.service.options` says what becomes of each.

        Raises:
            ValueError: the target is none of the known forms, or a setting has no place there.
            RPCError: nobody can be reached there, or the namespace has no topics.
        """
        connect: Connect = ServiceClient.connect
        for plugin in reversed(plugins):
            connect = partial(plugin.connect_service_client, next=connect)
        service_client = await connect(
            ConnectConfig(
                target_host=target_host,
                api_key=api_key,
                tls=tls,
                retry_config=retry_config,
                keep_alive_config=keep_alive_config,
                rpc_metadata=rpc_metadata,
                identity=identity or "",
                lazy=lazy,
                runtime=runtime,
                http_connect_proxy_config=http_connect_proxy_config,
                dns_load_balancing_config=dns_load_balancing_config,
                grpc_compression=grpc_compression,
                payload_limits=payload_limits,
                connect_timeout=connect_timeout,
                namespace=namespace,
                create_topics=create_topics,
                config=config or {},
                visibility=visibility,
            )
        )
        return cls(
            service_client,
            namespace=namespace,
            data_converter=connecting.with_default_storage(target_host, data_converter),
            plugins=plugins,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )

    def __init__(
        self,
        service_client: ServiceClient | Transport,
        *,
        namespace: str | None = None,
        data_converter: DataConverter = DataConverter.default,
        plugins: Sequence[Plugin] = (),
        interceptors: Sequence[Interceptor] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
        identity: str | None = None,
    ) -> None:
        """Over a connection that is there, which it shares with others. See `connect` for the settings.

        ``identity`` is the connection's, unless it is given here.
        """
        if not isinstance(service_client, ServiceClient):
            service_client = connecting.service_client_of(service_client)
        given = ClientConfig(
            service_client=service_client,
            namespace=namespace or service_client.config.namespace,
            data_converter=data_converter,
            plugins=plugins,
            interceptors=interceptors,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
        )
        self._given = given.copy()
        for plugin in plugins:
            given = plugin.configure_client(given)
        self._config = given
        self._service_client = given["service_client"]
        self._namespace = given["namespace"]
        self._data_converter = given["data_converter"]
        self._identity = identity
        self.default_workflow_query_reject_condition = given[
            "default_workflow_query_reject_condition"
        ]
        self.header_codec_behavior = given["header_codec_behavior"]
        self._transport = self._service_client.transport(self._namespace)
        self.queue_of: dict[str, str] = {}
        """Of workflows that calls named no queue for: the queue that they are on."""
        self._root = Root(self)
        self._outbound: OutboundInterceptor = self._root
        if (runtime := self.runtime).has_metrics:
            meter = runtime.metric_meter.with_additional_attributes({"namespace": self._namespace})
            self._outbound = Metered(self._root, meter, runtime.metric_prefix)
        for interceptor in reversed(list(given["interceptors"])):
            self._outbound = interceptor.intercept_client(self._outbound)

    async def close(self) -> None:
        """Ends the connection, for all clients that share it. Calls under way raise; their commands may still take effect."""
        await self._service_client.close()

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
    def service_client(self) -> ServiceClient:
        """The connection; `Client(service_client, namespace=...)` shares it."""
        return self._service_client

    @property
    def workflow_service(self) -> WorkflowService:
        """Answers the requests of a server's API that a client can answer; others raise, and say what to use instead."""
        return self._service_client.workflow_service

    @property
    def operator_service(self) -> OperatorService:
        """Answers requests about search attributes; others raise, and say what to use instead."""
        return self._service_client.operator_service

    @property
    def test_service(self) -> TestService:
        """Raises on every use: a time-skipping `WorkflowEnvironment` needs none."""
        return self._service_client.test_service

    @property
    def log(self) -> Log:
        """The log itself, for a Worker. Raises `ValueError` for a client of a gateway, which has none."""
        return connecting.log_of(self._transport)

    @property
    def create_topics(self) -> bool:
        return connecting.creates_topics(self._transport)

    async def require_namespace(self) -> None:
        """For a Worker that is about to start. Raises `RPCError` (NOT_FOUND), which is a RuntimeError too, where the namespace
        is not there and is not to be made on first use."""
        await connecting.require_namespace(self._transport)

    @property
    def namespace(self) -> str:
        return self._namespace

    @property
    def identity(self) -> str:
        """Who calls, in histories. Default: process ID and host."""
        return self._identity or self._service_client.config.identity

    @property
    def runtime(self) -> Runtime:
        """Where metrics go."""
        from streamflow.runtime import Runtime

        return self._service_client.config.runtime or Runtime.default()

    @property
    def data_converter(self) -> DataConverter:
        return self._data_converter

    @property
    def rpc_metadata(self) -> Mapping[str, str | bytes]:
        """Headers of every call over a gateway. Set a new mapping to change them."""
        return self._service_client.config.rpc_metadata

    @rpc_metadata.setter
    def rpc_metadata(self, value: Mapping[str, str | bytes]) -> None:
        self._service_client.update_rpc_metadata(value)

    @property
    def api_key(self) -> str | None:
        """The bearer token of every call over a gateway."""
        return self._service_client.config.api_key

    @api_key.setter
    def api_key(self, value: str | None) -> None:
        self._service_client.update_api_key(value)

    @property
    def outbound(self) -> OutboundInterceptor:
        """What calls go through: the first interceptor, or `root` if there is none."""
        return self._outbound

    @property
    def root(self) -> Root:
        """What does the work, behind the last interceptor."""
        return self._root

    def config(self, *, active_config: bool = False) -> ClientConfig:
        """The arguments of an equal client: as given, or, with ``active_config``, as plugins have changed them."""
        config = (self._config if active_config else self._given).copy()
        config["interceptors"] = list(config["interceptors"])
        return config

    # -- starting -----------------------------------------------------------------------------------------------

    # Groups of calls live in modules of their own, as functions whose first parameter is the client.
    start_workflow = starting.start_workflow
    execute_workflow = starting.execute_workflow
    execute_update_with_start_workflow = with_start.execute_update_with_start_workflow
    start_update_with_start_workflow = with_start.start_update_with_start_workflow

    # -- finding ------------------------------------------------------------------------------------------------

    get_workflow_handle = finding.get_workflow_handle
    get_workflow_handle_for = finding.get_workflow_handle_for
    find_queue = finding.find_queue
    remember_queue = finding.remember_queue
    create_schedule = scheduling.create_schedule
    get_schedule_handle = scheduling.get_schedule_handle
    list_schedules = scheduling.list_schedules
    list_workflows = finding.list_workflows
    batch = batching.batch
    count_workflows = finding.count_workflows
    get_async_activity_handle = async_activity.get_async_activity_handle

    # -- activities without a workflow --------------------------------------------------------------------------

    start_activity = activity_starting.start_activity
    execute_activity = activity_starting.execute_activity
    start_activity_class = activity_starting.start_activity_class
    execute_activity_class = activity_starting.execute_activity_class
    start_activity_method = activity_starting.start_activity_method
    execute_activity_method = activity_starting.execute_activity_method
    get_activity_handle = activity_starting.get_activity_handle
    list_activities = activity_listing.list_activities
    count_activities = activity_listing.count_activities

    # -- without counterpart here --------------------------------------------------------------------------------

    update_worker_build_id_compatibility = retired.update_worker_build_id_compatibility
    get_worker_build_id_compatibility = retired.get_worker_build_id_compatibility
    get_worker_task_reachability = retired.get_worker_task_reachability
    create_nexus_client = retired.create_nexus_client
    list_nexus_operations = retired.list_nexus_operations
    count_nexus_operations = retired.count_nexus_operations
    get_nexus_operation_handle = retired.get_nexus_operation_handle
