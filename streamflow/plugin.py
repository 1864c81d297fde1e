"""A plugin made of values: most plugins need no class of their own.

plugin = SimplePlugin("audit", interceptors=[AuditInterceptor()], workflows=[Audit], run_context=audit_log)
client = await Client.connect("localhost:9092", plugins=[plugin])   # its Workers have it too
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeAlias, TypeVar

from streamflow import client, worker
from streamflow.client import ClientConfig
from streamflow.converter import DataConverter
from streamflow.service import ConnectConfig, ServiceClient
from streamflow.worker import (
    Replayer,
    ReplayerConfig,
    Worker,
    WorkerConfig,
    WorkflowReplayResult,
    WorkflowRunner,
)

T = TypeVar("T")
PluginParameter: TypeAlias = T | Callable[[T | None], T] | None
"""A value, or a function that makes one of what there was before; ``None`` changes nothing."""

Results: TypeAlias = AbstractAsyncContextManager[AsyncIterator[WorkflowReplayResult]]


class SimplePlugin(client.Plugin, worker.Plugin):
    """Adds what it is given to whatever takes it: to clients, workers and replayers."""

    def __init__(
        self,
        name: str,
        *,
        data_converter: PluginParameter[DataConverter] = None,
        interceptors: Sequence[client.Interceptor | worker.Interceptor] | None = None,
        activities: PluginParameter[Sequence[Callable[..., Any]]] = None,
        nexus_service_handlers: PluginParameter[Sequence[Any]] = None,
        workflows: PluginParameter[Sequence[type]] = None,
        workflow_runner: PluginParameter[WorkflowRunner] = None,
        workflow_failure_exception_types: PluginParameter[Sequence[type[BaseException]]] = None,
        run_context: Callable[[], AbstractAsyncContextManager[None]] | None = None,
    ) -> None:
        """Each value but the last may be a function of what there was before.

        Args:
            data_converter: Of clients and replayers, in place of theirs.
            interceptors: After those there are: client interceptors for clients, worker interceptors for workers and
                replayers. One that is both is used once by a client's worker.
            activities: After those of the worker.
            nexus_service_handlers: After those of the worker, which refuses them.
            workflows: After those of the worker or replayer.
            workflow_runner: Of workers and replayers, in place of theirs.
            workflow_failure_exception_types: After those of the worker or replayer.
            run_context: Makes a context within which workers run and replayers replay.
        """
        self._name = name
        self.data_converter = data_converter
        self.interceptors = interceptors
        self.activities = activities
        self.nexus_service_handlers = nexus_service_handlers
        self.workflows = workflows
        self.workflow_runner = workflow_runner
        self.workflow_failure_exception_types = workflow_failure_exception_types
        self.run_context = run_context

    def name(self) -> str:
        return self._name

    # -- clients ------------------------------------------------------------------------------------------------

    def configure_client(self, config: ClientConfig) -> ClientConfig:
        converter = _replaced(config.get("data_converter"), self.data_converter)
        if converter is not None:
            config["data_converter"] = converter
        if self.interceptors is not None:
            both = [*config.get("interceptors", ()), *self.interceptors]
            config["interceptors"] = [i for i in both if isinstance(i, client.Interceptor)]
        return config

    async def connect_service_client(
        self, config: ConnectConfig, next: Callable[[ConnectConfig], Awaitable[ServiceClient]]
    ) -> ServiceClient:
        return await next(config)

    # -- workers ------------------------------------------------------------------------------------------------

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        activities = _extended(config.get("activities"), self.activities)
        if activities is not None:
            config["activities"] = activities
        handlers = _extended(config.get("nexus_service_handlers"), self.nexus_service_handlers)
        if handlers is not None:
            config["nexus_service_handlers"] = handlers
        self._configure_code(config)
        if self.interceptors is not None:
            inherited = _interceptors_of(config.get("client"))
            own = [i for i in self.interceptors if isinstance(i, worker.Interceptor)]
            added = [i for i in own if not any(i is other for other in inherited)]
            config["interceptors"] = [*config.get("interceptors", ()), *added]
        return config

    async def run_worker(self, worker: Worker, next: Callable[[Worker], Awaitable[None]]) -> None:
        if self.run_context is None:
            await next(worker)
            return
        async with self.run_context():
            await next(worker)

    # -- replayers ----------------------------------------------------------------------------------------------

    def configure_replayer(self, config: ReplayerConfig) -> ReplayerConfig:
        converter = _replaced(config.get("data_converter"), self.data_converter)
        if converter is not None:
            config["data_converter"] = converter
        self._configure_code(config)
        if self.interceptors is not None:
            own = [i for i in self.interceptors if isinstance(i, worker.Interceptor)]
            config["interceptors"] = [*config.get("interceptors", ()), *own]
        return config

    @asynccontextmanager
    async def run_replayer(
        self,
        replayer: Replayer,
        histories: AsyncIterator[Any],
        next: Callable[[Replayer, AsyncIterator[Any]], Results],
    ) -> AsyncGenerator[AsyncIterator[WorkflowReplayResult]]:
        if self.run_context is None:
            async with next(replayer, histories) as results:
                yield results
            return
        async with self.run_context(), next(replayer, histories) as results:
            yield results

    def _configure_code(self, config: WorkerConfig | ReplayerConfig) -> None:
        """What workers and replayers have in common."""
        workflows = _extended(config.get("workflows"), self.workflows)
        if workflows is not None:
            config["workflows"] = workflows
        runner = _replaced(config.get("workflow_runner"), self.workflow_runner)
        if runner is not None:
            config["workflow_runner"] = runner
        failures = _extended(
            config.get("workflow_failure_exception_types"), self.workflow_failure_exception_types
        )
        if failures is not None:
            config["workflow_failure_exception_types"] = failures


def _interceptors_of(given: object) -> list[object]:
    """Of a client; of what stands for one in a test, none."""
    if not isinstance(given, client.Client):
        return []
    return list(given.config(active_config=True)["interceptors"])


def _replaced(before: T | None, parameter: PluginParameter[T]) -> T | None:
    if parameter is None:
        return before
    if callable(parameter):
        changed: T = parameter(before)  # pyright: ignore[reportAssignmentType]  # no value of ours can be called
        return changed
    return parameter


def _extended(
    before: Sequence[T] | None, parameter: PluginParameter[Sequence[T]]
) -> Sequence[T] | None:
    if parameter is None:
        return before
    if callable(parameter):
        return parameter(before)
    return [*(before or ()), *parameter]
