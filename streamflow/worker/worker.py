"""The public Worker: serves one queue from `run` (or ``async with``) to `shutdown`. Here is what users see; the parts and their order are `service`'s."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor as ThreadExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self, TypedDict

from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.observability import get_logger
from streamflow.worker.interception import with_inherited
from streamflow.worker.interceptor import Interceptor
from streamflow.worker.options import refuse_unsupported
from streamflow.worker.patching import PatchActivationInput, traits_of
from streamflow.worker.registry import Registry
from streamflow.worker.runners import WorkflowRunner, run_by
from streamflow.worker.service import Service
from streamflow.worker.setup import Setup, WorkerClient, definitions_of, type_name
from streamflow.worker.shared_state import SharedStateManager
from streamflow.worker.versions import PinnedVersions, WorkerDeploymentConfig, canonical, versioned

_log = get_logger("worker")

SLOTS_DEFAULT = 100
NO_VERSIONS: PinnedVersions = MappingProxyType({})
NO_RETENTION: Mapping[str | type, timedelta] = MappingProxyType({})


class WorkerConfig(TypedDict, total=False):
    """The arguments of an equal worker."""

    client: WorkerClient
    task_queue: str
    workflows: Sequence[type]
    activities: Sequence[Callable[..., Any]]
    activity_executor: ThreadExecutor | None
    interceptors: Sequence[Interceptor]
    workflow_runner: WorkflowRunner | None
    deployment_config: WorkerDeploymentConfig | None
    max_cached_workflows: int
    max_concurrent_activities: int
    max_concurrent_local_activities: int
    max_activities_per_second: float | None
    max_task_queue_activities_per_second: float | None
    shared_state_manager: SharedStateManager | None
    graceful_shutdown_timeout: timedelta
    retention: timedelta | None
    retention_by_type: Mapping[str, timedelta]
    identity: str | None
    build_id: str | None
    debug_mode: bool


class Worker:
    """Runs workflows and activities of one task queue.

    Example::

        worker = Worker(client, task_queue="greetings", workflows=[Greet], activities=[compose])
        await worker.run()  # or: async with worker: ...

    With workflows it is a processor of its queue, and local activities are run too; with activities alone it is
    only a worker.
    """

    def __init__(
        self,
        client: WorkerClient,
        *,
        task_queue: str,
        workflows: Sequence[type] = (),
        activities: Sequence[Callable[..., Any]] = (),
        activity_executor: ThreadExecutor | None = None,
        interceptors: Sequence[Interceptor] = (),
        workflow_runner: WorkflowRunner | None = None,
        unsandboxed_workflow_runner: WorkflowRunner | None = None,
        deployment_config: WorkerDeploymentConfig | None = None,
        pinned_versions: PinnedVersions = NO_VERSIONS,
        patch_activation_callback: Callable[[PatchActivationInput], bool] | None = None,
        max_cached_workflows: int = 1_000,
        max_concurrent_activities: int | None = None,
        max_concurrent_local_activities: int | None = None,
        max_activities_per_second: float | None = None,
        max_task_queue_activities_per_second: float | None = None,
        max_eager_activity_reservations_per_workflow_task: int = 3,
        disable_eager_activity_execution: bool = False,
        shared_state_manager: SharedStateManager | None = None,
        no_remote_activities: bool = False,
        max_heartbeat_throttle_interval: timedelta = timedelta(seconds=60),
        default_heartbeat_throttle_interval: timedelta = timedelta(seconds=30),
        graceful_shutdown_timeout: timedelta = timedelta(),
        retention: timedelta | None = None,
        retention_by_type: Mapping[str | type, timedelta] = NO_RETENTION,
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        identity: str | None = None,
        build_id: str | None = None,
        debug_mode: bool = False,
        on_fatal_error: Callable[[BaseException], Awaitable[None]] | None = None,
        name: str | None = None,
        state_dir: str | Path | None = None,
        partitions: int = 12,
        **not_yet: Any,
    ) -> None:
        """Prepares a worker; nothing is asked of the log before `run`.

        Args:
            activity_executor: Threads for sync activities, or processes. Default: threads, one for each slot.
            shared_state_manager: What carries heartbeats and cancellations if they run in processes.
            interceptors: Stand around activities and workflow code; those of the client that are for workers too stand
                outside of them.
            workflow_runner: A `SandboxedWorkflowRunner` guards workflow code as its restrictions say, an
                `UnsandboxedWorkflowRunner` not at all. Default: guarded.
            unsandboxed_workflow_runner: The same for workflows with ``sandboxed=False``. Default: not guarded.
            deployment_config: Which version of which deployment this is. Default: none, and no run is pinned.
            pinned_versions: Workflow classes of older versions, which runs that are pinned to those go on with.
            patch_activation_callback: Whether a run that meets a patch for the first time takes its newer way. Default: it
                does.
            max_cached_workflows: Runs kept in memory with their coroutines. Default: 1,000. 0 replays each at every step.
            max_concurrent_activities: Activities that run at once. Default: 100.
            max_concurrent_local_activities: The same for local ones. Default: 100.
            max_activities_per_second: Activities that begin in a second on this worker. Default: no limit.
            max_task_queue_activities_per_second: The same for the queue. Each of its workers keeps to a share as large as
                that of the queue's partitions which it has been assigned, so all of them must be told the same. Default: no
                limit.
            max_eager_activity_reservations_per_workflow_task: Accepted, and without effect, like
                ``disable_eager_activity_execution``: tasks always go through the log.
            no_remote_activities: Run the activities given only as local ones.
            graceful_shutdown_timeout: How long running activities may go on before they are cancelled.
            retention: How long runs of this queue are kept, and answer, after they have closed. Default: 30 days.
            retention_by_type: The same for workflow types (names or classes) where it differs; fixed for a run when it
                starts.
            debug_mode: No limit for steps of workflow code, so that debuggers work.
            name: The instance's name, stable over restarts. Default: ``STREAMFLOW_INSTANCE``, else the host's.
            state_dir: Where local state is kept. Default: below ``$XDG_STATE_HOME``.
            partitions: Of the queue, where it is made on first use.

        Raises:
            ValueError: there is nothing to run, or two activities or workflows have one name.
        """
        if not workflows and not activities:
            raise ValueError("Expected workflows or activities to run, found neither")
        refuse_unsupported(not_yet)
        self._task_queue = task_queue
        self._workflows = tuple(workflows)
        self._activities = tuple(activities)
        self._interceptors = tuple(interceptors)
        self._graceful_shutdown_timeout = graceful_shutdown_timeout
        self._on_fatal_error = on_fatal_error
        registry = Registry(activities)
        registry.check_executor(activity_executor, shared_state_manager)
        self._workflow_runner = workflow_runner
        self._deployment_config = deployment_config

        def prepared(classes: Sequence[type]) -> dict[str, WorkflowDefinition]:
            definitions = definitions_of(classes, workflow_failure_exception_types)
            return run_by(definitions, workflow_runner, unsandboxed_workflow_runner)

        self._setup = Setup(
            client=client,
            queue=task_queue,
            definitions=versioned(prepared(workflows), deployment_config),
            version=canonical(deployment_config),
            carried={
                version.to_canonical_string(): versioned(prepared(classes), deployment_config)
                for version, classes in pinned_versions.items()
            },
            traits=traits_of(patch_activation_callback),
            registry=registry,
            takes_tasks=bool(activities) and not no_remote_activities,
            threads=activity_executor,
            shared_state=shared_state_manager,
            activities_per_second=_rate("max_activities_per_second", max_activities_per_second),
            queue_activities_per_second=_rate(
                "max_task_queue_activities_per_second", max_task_queue_activities_per_second
            ),
            slots=_positive("max_concurrent_activities", max_concurrent_activities),
            local_slots=_positive(
                "max_concurrent_local_activities", max_concurrent_local_activities
            ),
            runs_cached_max=max_cached_workflows,
            retention=None if retention is None else _kept("retention", retention),
            retention_by_type={
                type_name(workflow): _kept("retention_by_type", duration)
                for workflow, duration in retention_by_type.items()
            },
            heartbeat_max=max_heartbeat_throttle_interval,
            heartbeat_default=default_heartbeat_throttle_interval,
            identity=identity or client.identity,
            build_id=build_id or (deployment_config.version.build_id if deployment_config else ""),
            interceptors=with_inherited(
                interceptors, client.config(active_config=True)["interceptors"]
            ),
            debug=debug_mode or bool(os.environ.get("STREAMFLOW_DEBUG")),
            name=name,
            state_dir=None if state_dir is None else Path(state_dir),
            partitions=partitions,
        )
        self._begun = False
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._running_as: asyncio.Task[None] | None = None
        self._body: asyncio.Task[Any] | None = None

    # -- what it is -----------------------------------------------------------------------------------------------

    @property
    def client(self) -> WorkerClient:
        return self._setup.client

    @property
    def task_queue(self) -> str:
        return self._task_queue

    @property
    def is_running(self) -> bool:
        """Whether it has started and not ended."""
        return self._started.is_set() and not self._ended.is_set()

    @property
    def is_shutdown(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    def config(self) -> WorkerConfig:
        """The arguments of an equal worker."""
        setup = self._setup
        return WorkerConfig(
            client=setup.client,
            task_queue=self._task_queue,
            workflows=self._workflows,
            activities=self._activities,
            activity_executor=setup.threads,
            interceptors=self._interceptors,
            workflow_runner=self._workflow_runner,
            deployment_config=self._deployment_config,
            max_cached_workflows=setup.runs_cached_max,
            max_concurrent_activities=setup.slots,
            max_concurrent_local_activities=setup.local_slots,
            max_activities_per_second=setup.activities_per_second,
            max_task_queue_activities_per_second=setup.queue_activities_per_second,
            shared_state_manager=setup.shared_state,
            graceful_shutdown_timeout=self._graceful_shutdown_timeout,
            retention=setup.retention,
            retention_by_type=setup.retention_by_type,
            identity=setup.identity,
            build_id=setup.build_id or None,
            debug_mode=setup.debug,
        )

    # -- running --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serves the queue until `shutdown`, or until this call is cancelled, which shuts down too.

        Raises:
            AppConflict: another Worker of this process serves the queue with other workflows.
            QueueMissing: the queue does not exist, and is not to be made on first use.
            LogError: something ended the work; ``on_fatal_error`` was told before.
        """
        if self._begun:
            raise RuntimeError("Expected a new Worker, found one that has run; make another")
        self._begun = True
        service = Service(self._setup)
        try:
            await service.start()
            self._started.set()
            await service.until(self._stopping)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            _log.error("worker_failed", queue=self._task_queue, error=repr(error))
            if self._on_fatal_error is not None:
                await self._on_fatal_error(error)
            raise
        finally:
            try:
                await _to_the_end(service.stop(self._graceful_shutdown_timeout.total_seconds()))
            finally:
                self._ended.set()

    async def shutdown(self) -> None:
        """Takes no more work, lets activities end within the graceful timeout, and returns when all is over."""
        self._stopping.set()
        if self._begun:
            await self._ended.wait()

    async def __aenter__(self) -> Self:
        """Returns when the worker has started."""
        self._body = asyncio.current_task()
        self._running_as = asyncio.ensure_future(self.run())
        self._running_as.add_done_callback(self._interrupt_body)
        started = asyncio.ensure_future(self._started.wait())
        await asyncio.wait([started, self._running_as], return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._running_as.done():
            self._running_as.result()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Shuts down. What ended the worker early is raised here; the body was cancelled because of it."""
        assert self._running_as is not None
        failed_early = self._running_as.done() and self._running_as.exception() is not None
        self._body = None
        self._stopping.set()
        if failed_early:
            self._running_as.result()
        with suppress(asyncio.CancelledError):
            await self._running_as

    def _interrupt_body(self, running: asyncio.Task[None]) -> None:
        """A worker that fails must not leave its body waiting for work that nobody does."""
        failed = not running.cancelled() and running.exception() is not None
        if failed and self._body is not None and self._started.is_set():
            self._body.cancel()


def _positive(name: str, value: int | None) -> int:
    if value is not None and value < 1:
        raise ValueError(f"Expected {name} to be 1 or more, found {value}")
    return value or SLOTS_DEFAULT


def _rate(name: str, value: float | None) -> float | None:
    if value is not None and value <= 0:
        raise ValueError(f"Expected {name} to be more than 0, found {value}")
    return value


def _kept(name: str, duration: timedelta) -> timedelta:
    if duration < timedelta():
        raise ValueError(f"Expected {name} to be 0 or more, found {duration}")
    return duration


async def _to_the_end(coroutine: Awaitable[None]) -> None:
    """Awaits it whatever happens: a second cancellation would leave groups and locks held."""
    task = asyncio.ensure_future(coroutine)
    while not task.done():
        with suppress(asyncio.CancelledError):
            await asyncio.shield(task)
    task.result()
