"""Environments for tests of workflows: the engine itself, in this process, with or without skipping of time.

start_time_skipping   the log in memory; while a test awaits a result, time jumps to the next timer
start_local           the durable embedded log in a folder of its own; time is real
from_client           whatever the client speaks to; time is real

In each of them a failed assertion of workflow code fails the workflow (`assertions`), so that no test waits for it.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, NoReturn, Self, Unpack

from streamflow import wiring
from streamflow.client import Client, Interceptor, NotYetError, Plugin
from streamflow.client.log.keeping import kept
from streamflow.client.log.transport import LogTransport
from streamflow.common import HeaderCodecBehavior, QueryRejectCondition, SearchAttributeKey
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.converter import DataConverter
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.runtime import Runtime
from streamflow.service import ConnectConfig, ServiceClient
from streamflow.testing.assertions import AssertionsFail
from streamflow.testing.server_options import (
    LocalOptions,
    TimeSkippingOptions,
    refuse_unknown,
    takes_local_options,
    takes_time_skipping_options,
)


class WorkflowEnvironment(ABC):
    """Where a test's workflows run. An async context manager; `shutdown` does the same by hand."""

    @staticmethod
    @takes_time_skipping_options
    async def start_time_skipping(
        *,
        namespace: str = DEFAULT_NAMESPACE,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
        identity: str | None = None,
        runtime: Runtime | None = None,
        **server: Unpack[TimeSkippingOptions],
    ) -> WorkflowEnvironment:
        """An engine in memory whose time skips ahead while a result is awaited and nothing else is going on.

        What elsewhere chooses a server to download is passed over: there is none here.
        """
        refuse_unknown(server, TimeSkippingOptions)
        return _TimeSkippingEnvironment(
            namespace,
            runtime,
            data_converter=data_converter,
            interceptors=[*interceptors, AssertionsFail()],
            plugins=plugins,
            default_workflow_query_reject_condition=default_workflow_query_reject_condition,
            header_codec_behavior=header_codec_behavior,
            identity=identity,
        )

    @staticmethod
    @takes_local_options
    async def start_local(
        *,
        namespace: str = DEFAULT_NAMESPACE,
        data_converter: DataConverter = DataConverter.default,
        interceptors: Sequence[Interceptor] = (),
        plugins: Sequence[Plugin] = (),
        default_workflow_query_reject_condition: QueryRejectCondition | None = None,
        header_codec_behavior: HeaderCodecBehavior = HeaderCodecBehavior.NO_CODEC,
        identity: str | None = None,
        search_attributes: Sequence[SearchAttributeKey[Any]] = (),
        runtime: Runtime | None = None,
        **server: Unpack[LocalOptions],
    ) -> WorkflowEnvironment:
        """An engine on the embedded log, in a folder that goes with the environment. Time is real.

        ``search_attributes`` are declared, so that list filters may name them before a workflow has them.
        """
        refuse_unknown(server, LocalOptions)
        folder = await asyncio.to_thread(tempfile.mkdtemp, prefix="streamflow-")
        try:
            client = await Client.connect(
                f"embedded:{folder}",
                namespace=namespace,
                data_converter=data_converter,
                interceptors=[*interceptors, AssertionsFail()],
                plugins=plugins,
                default_workflow_query_reject_condition=default_workflow_query_reject_condition,
                header_codec_behavior=header_codec_behavior,
                identity=identity,
                runtime=runtime,
            )
            assert isinstance(client.transport, LogTransport)
            client.transport.keep_queues()
            if search_attributes:
                await client.transport.declare_search_attributes(
                    {key.name: key.indexed_value_type.type_name for key in search_attributes}
                )
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
            raise
        return _LocalEnvironment(client, folder)

    @staticmethod
    def from_client(client: Client) -> WorkflowEnvironment:
        """An environment around a client that stays its maker's: shutting down does not close it. Time is real.

        Its own ``client`` is another one on the same connection, whose Workers fail workflows on failed assertions.
        """
        config = client.config(active_config=True)
        config["interceptors"] = [*config["interceptors"], AssertionsFail()]
        config["plugins"] = []  # they have changed this config already
        return _ClientEnvironment(Client(**config))

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def client(self) -> Client:
        return self._client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.shutdown()

    @abstractmethod
    async def shutdown(self) -> None:
        """Ends the environment; stop workers first."""

    async def connect_client(self, **options: Any) -> Client:
        """Another client of this environment, which closes it in the end."""
        raise NotYetError(f"{type(self).__name__}.connect_client")

    async def sleep(self, duration: timedelta | float) -> None:
        """Lets this much of the environment's time pass, in seconds if a number."""
        await asyncio.sleep(_seconds(duration))

    async def get_current_time(self) -> datetime:
        """Now, in the environment's time (UTC)."""
        return datetime.now(UTC)

    @property
    def supports_time_skipping(self) -> bool:
        return False

    @contextmanager
    def auto_time_skipping_disabled(self) -> Generator[None]:
        """Within it, awaiting a result skips no time; `sleep` still does."""
        yield

    async def create_nexus_endpoint(self, *_args: Any) -> NoReturn:
        raise NotYetError("Nexus")

    async def delete_nexus_endpoint(self, *_args: Any) -> NoReturn:
        raise NotYetError("Nexus")


class _TimeSkippingEnvironment(WorkflowEnvironment):
    """One broker in memory; each client is a process of its own on it."""

    def __init__(self, namespace: str, runtime: Runtime | None, **options: Any) -> None:
        self._broker = MemoryBroker()
        self._target = wiring.share_memory(self._broker)
        self._until_shutdown = ExitStack()
        self._until_shutdown.enter_context(kept(self._target))
        self._auto = True
        self._count = 0
        self._namespace = namespace
        self._runtime = runtime
        self._others: list[Client] = []
        super().__init__(self._make_client(**options))

    def _make_client(self, *, lazy: bool = True, **options: Any) -> Client:
        self._count += 1
        log = MemoryLog(self._broker, f"client-{self._count}")
        namespace = options.pop("namespace", self._namespace)
        transport = LogTransport(
            log, namespace, create_topics=True, while_waiting=self._while_waiting
        )
        transport.keep_queues()
        config = ConnectConfig(
            target_host=self._target,
            namespace=namespace,
            lazy=lazy,
            create_topics=True,
            runtime=options.pop("runtime", self._runtime),
        )
        return Client(ServiceClient(config, transport), **options)

    def _while_waiting(self) -> AbstractContextManager[None]:
        return self._broker.skipping() if self._auto else nullcontext()

    async def connect_client(self, **options: Any) -> Client:
        self._others.append(self._make_client(**options))
        return self._others[-1]

    async def shutdown(self) -> None:
        self._until_shutdown.close()
        await _close(self._client, *self._others)
        if self._target:
            wiring.unshare_memory(self._target)
            self._target = ""

    async def sleep(self, duration: timedelta | float) -> None:
        loop = asyncio.get_running_loop()
        passed: asyncio.Future[None] = loop.create_future()

        def wake() -> None:
            if not passed.done():
                passed.set_result(None)

        with self._broker.skipping():
            cancel = self._client.log.delay(_seconds(duration), wake)
            try:
                await passed
            finally:
                cancel()

    async def get_current_time(self) -> datetime:
        return datetime.fromtimestamp(self._broker.clock.now_ms() / 1000, UTC)

    @property
    def supports_time_skipping(self) -> bool:
        return True

    @contextmanager
    def auto_time_skipping_disabled(self) -> Generator[None]:
        before, self._auto = self._auto, False
        try:
            yield
        finally:
            self._auto = before


class _LocalEnvironment(WorkflowEnvironment):
    def __init__(self, client: Client, folder: str) -> None:
        super().__init__(client)
        self._folder = folder
        self._target = f"embedded:{folder}"
        self._others: list[Client] = []
        self._until_shutdown = ExitStack()
        self._until_shutdown.enter_context(kept(self._target))

    async def connect_client(self, **options: Any) -> Client:
        self._others.append(await Client.connect(self._target, **options))
        return self._others[-1]

    async def shutdown(self) -> None:
        self._until_shutdown.close()
        await _close(self._client, *self._others)
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)


class _ClientEnvironment(WorkflowEnvironment):
    async def shutdown(self) -> None:
        """Nothing: the client is its maker's."""


async def _close(*clients: Client) -> None:
    """What a client serves by itself, schedules say, has to end before its log does."""
    for client in clients:
        await client.close()


def _seconds(duration: timedelta | float) -> float:
    return duration.total_seconds() if isinstance(duration, timedelta) else duration
