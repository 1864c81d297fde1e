"""The public Worker: serves one queue from `run` (or ``async with``) to `shutdown`. Here is what users see; the parts and their order are `service`'s."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from streamflow.model.processes import RestoreProgress
from streamflow.observability import get_logger
from streamflow.ports import Objects
from streamflow.worker.capacity.tuning import WorkerTuner
from streamflow.worker.interceptor import Interceptor
from streamflow.worker.patching import PatchActivationInput
from streamflow.worker.plugin import Plugin, run_through
from streamflow.worker.preparing import plugins_of, setup_of
from streamflow.worker.runners import WorkflowRunner
from streamflow.worker.running.executor import Executor as Activities
from streamflow.worker.running.shared_state import SharedStateManager
from streamflow.worker.service import Service
from streamflow.worker.settings import (
    PollerBehavior,
    PollerBehaviorSimpleMaximum,
    WorkerConfig,
    check,
)
from streamflow.worker.setup import WorkerClient
from streamflow.worker.to_the_end import to_the_end
from streamflow.worker.versions import PinnedVersions, WorkerDeploymentConfig
from streamflow.worker.workflow_sandbox.runner import SANDBOXED, UNSANDBOXED

_log = get_logger("worker")

POLLERS = PollerBehaviorSimpleMaximum()
NO_VERSIONS: PinnedVersions = MappingProxyType({})
NO_RETENTION: Mapping[str | type, timedelta] = MappingProxyType({})


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
        activities: Sequence[Callable[..., Any]] = (),
        nexus_service_handlers: Sequence[Any] = (),
        workflows: Sequence[type] = (),
        activity_executor: Executor | None = None,
        workflow_task_executor: ThreadPoolExecutor | None = None,
        nexus_task_executor: ThreadPoolExecutor | None = None,
        workflow_runner: WorkflowRunner = SANDBOXED,
        unsandboxed_workflow_runner: WorkflowRunner = UNSANDBOXED,
        plugins: Sequence[Plugin] = (),
        interceptors: Sequence[Interceptor] = (),
        build_id: str | None = None,
        identity: str | None = None,
        max_cached_workflows: int = 1_000,
        max_concurrent_workflow_tasks: int | None = None,
        max_concurrent_activities: int | None = None,
        max_concurrent_local_activities: int | None = None,
        max_concurrent_nexus_tasks: int | None = None,
        tuner: WorkerTuner | None = None,
        max_concurrent_workflow_task_polls: int | None = None,
        nonsticky_to_sticky_poll_ratio: float = 0.2,
        max_concurrent_activity_task_polls: int | None = None,
        no_remote_activities: bool = False,
        sticky_queue_schedule_to_start_timeout: timedelta = timedelta(seconds=10),
        max_heartbeat_throttle_interval: timedelta = timedelta(seconds=60),
        default_heartbeat_throttle_interval: timedelta = timedelta(seconds=30),
        max_activities_per_second: float | None = None,
        max_task_queue_activities_per_second: float | None = None,
        max_eager_activity_reservations_per_workflow_task: int = 3,
        graceful_shutdown_timeout: timedelta = timedelta(),
        workflow_failure_exception_types: Sequence[type[BaseException]] = (),
        shared_state_manager: SharedStateManager | None = None,
        debug_mode: bool = False,
        disable_eager_activity_execution: bool = False,
        on_fatal_error: Callable[[BaseException], Awaitable[None]] | None = None,
        use_worker_versioning: bool = False,
        disable_safe_workflow_eviction: bool = False,
        deployment_config: WorkerDeploymentConfig | None = None,
        pinned_versions: PinnedVersions = NO_VERSIONS,
        patch_activation_callback: Callable[[PatchActivationInput], bool] | None = None,
        workflow_task_poller_behavior: PollerBehavior = POLLERS,
        activity_task_poller_behavior: PollerBehavior = POLLERS,
        nexus_task_poller_behavior: PollerBehavior = POLLERS,
        disable_payload_error_limit: bool = False,
        max_workflow_task_external_storage_concurrency: int = 3,
        retention: timedelta | None = None,
        retention_by_type: Mapping[str | type, timedelta] = NO_RETENTION,
        name: str | None = None,
        state_dir: str | Path | None = None,
        partitions: int = 12,
        snapshots: Objects | str | None = None,
        snapshot_every: timedelta = timedelta(minutes=10),
        standby: int = 0,
        archive: Objects | str | None = None,
    ) -> None:
        """Prepares a worker; nothing is asked of the log before `run`.

        Args:
            activity_executor: Threads for sync activities, or processes. Required if there are any.
            shared_state_manager: What carries heartbeats and cancellations if they run in processes.
            workflow_runner: A `SandboxedWorkflowRunner` guards workflow code as its restrictions say, an
                `UnsandboxedWorkflowRunner` not at all. Default: guarded.
            unsandboxed_workflow_runner: The same for workflows with ``sandboxed=False``. Default: not guarded.
            plugins: Change what the worker is made of, and wrap its run; the first is asked first. Those of the client that
                are for workers too stand before them.
            interceptors: Stand around activities and workflow code; those of the client that are for workers too stand
                outside of them.
            build_id: What histories call the version of the code. Default: empty.
            identity: Who took a task, in histories. Default: the client's.
            max_cached_workflows: Runs kept in memory with their coroutines. Default: 1,000. 0 replays each at every step.
            max_concurrent_activities: Activities that run at once. Default: 100.
            max_concurrent_local_activities: The same for local ones. Default: 100.
            tuner: Decides both of these instead.
            max_activities_per_second: Activities that begin in a second on this worker. Default: no limit.
            max_task_queue_activities_per_second: The same for the queue. Each of its workers keeps to a share as large as
                that of the queue's partitions which it has been assigned, so all of them must be told the same. Default: no
                limit.
            no_remote_activities: Run the activities given only as local ones.
            graceful_shutdown_timeout: How long running activities may go on before they are cancelled.
            workflow_failure_exception_types: Exceptions that fail any workflow rather than leave it stuck.
            debug_mode: No guards and no limit for steps of workflow code, so that debuggers work. Also set by the
                environment variables STREAMFLOW_DEBUG and TEMPORAL_DEBUG.
            on_fatal_error: Awaited with what ended the worker, before `run` raises it.
            deployment_config: Which version of which deployment this is. Default: none, and no run is pinned.
            pinned_versions: Workflow classes of older versions, which runs that are pinned to those go on with.
            patch_activation_callback: Whether a run that meets a patch for the first time takes its newer way. Default: it
                does.
            retention: How long runs of this queue are kept, and answer, after they have closed. Default: 30 days.
            retention_by_type: The same for workflow types (names or classes) where it differs; fixed for a run when it
                starts.
            name: The instance's name, stable over restarts. Default: ``STREAMFLOW_INSTANCE``, else the host's.
            state_dir: Where local state is kept. Default: below ``$XDG_STATE_HOME``.
            partitions: Of the queue, where it is made on first use.
            snapshots: Where copies of the local state are kept, for processes that have none: a folder that all of them
                reach, ``s3://BUCKET/PREFIX``, or an object store of `streamflow.objects`. Default: nowhere.
            snapshot_every: How often each partition is copied there, while something happens in it. Default: 10 minutes.
            standby: How many other processes of the queue follow each partition, ready to take it over. Default: 0.
            archive: Where closed runs go before they are deleted, as for ``snapshots``. Default: nowhere.

        The other options are those of ported code that change nothing here: a processor steps its runs on one thread
        (``workflow_task_executor``, ``max_concurrent_workflow_tasks``), a consumer polls by itself (pollers), nothing is
        sticky, tasks always go through the log (eager options), evicting a run is always safe, and payloads that are too
        large go to external storage or are refused.

        Raises:
            ValueError: there is nothing to run, two activities or workflows have one name, or options contradict each other.
        """
        config = WorkerConfig(
            client=client,
            task_queue=task_queue,
            activities=activities,
            nexus_service_handlers=nexus_service_handlers,
            workflows=workflows,
            activity_executor=activity_executor,
            workflow_task_executor=workflow_task_executor,
            nexus_task_executor=nexus_task_executor,
            workflow_runner=workflow_runner,
            unsandboxed_workflow_runner=unsandboxed_workflow_runner,
            plugins=plugins,
            interceptors=interceptors,
            build_id=build_id,
            identity=identity,
            max_cached_workflows=max_cached_workflows,
            max_concurrent_workflow_tasks=max_concurrent_workflow_tasks,
            max_concurrent_activities=max_concurrent_activities,
            max_concurrent_local_activities=max_concurrent_local_activities,
            max_concurrent_nexus_tasks=max_concurrent_nexus_tasks,
            tuner=tuner,
            max_concurrent_workflow_task_polls=max_concurrent_workflow_task_polls,
            nonsticky_to_sticky_poll_ratio=nonsticky_to_sticky_poll_ratio,
            max_concurrent_activity_task_polls=max_concurrent_activity_task_polls,
            no_remote_activities=no_remote_activities,
            sticky_queue_schedule_to_start_timeout=sticky_queue_schedule_to_start_timeout,
            max_heartbeat_throttle_interval=max_heartbeat_throttle_interval,
            default_heartbeat_throttle_interval=default_heartbeat_throttle_interval,
            max_activities_per_second=max_activities_per_second,
            max_task_queue_activities_per_second=max_task_queue_activities_per_second,
            max_eager_activity_reservations_per_workflow_task=max_eager_activity_reservations_per_workflow_task,
            graceful_shutdown_timeout=graceful_shutdown_timeout,
            workflow_failure_exception_types=workflow_failure_exception_types,
            shared_state_manager=shared_state_manager,
            debug_mode=debug_mode,
            disable_eager_activity_execution=disable_eager_activity_execution,
            on_fatal_error=on_fatal_error,
            use_worker_versioning=use_worker_versioning,
            disable_safe_workflow_eviction=disable_safe_workflow_eviction,
            deployment_config=deployment_config,
            pinned_versions=pinned_versions,
            patch_activation_callback=patch_activation_callback,
            workflow_task_poller_behavior=workflow_task_poller_behavior,
            activity_task_poller_behavior=activity_task_poller_behavior,
            nexus_task_poller_behavior=nexus_task_poller_behavior,
            disable_payload_error_limit=disable_payload_error_limit,
            max_workflow_task_external_storage_concurrency=max_workflow_task_external_storage_concurrency,
            retention=retention,
            retention_by_type=retention_by_type,
            name=name,
            state_dir=state_dir,
            partitions=partitions,
            snapshots=snapshots,
            snapshot_every=snapshot_every,
            standby=standby,
            archive=archive,
        )
        self._given = config.copy()
        self._plugins = plugins_of(client, plugins)
        for plugin in self._plugins:
            config = plugin.configure_worker(config)
        check(config)
        self._config = config
        self._setup = setup_of(config)
        self._service: Service | None = None
        self._workflow_worker = None
        """Ported tests look whether there is one before they change its inner limits."""
        self._begun = False
        self._started = asyncio.Event()
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._running_as: asyncio.Task[None] | None = None
        self._body: asyncio.Task[Any] | None = None

    # -- what it is -----------------------------------------------------------------------------------------------

    @property
    def client(self) -> WorkerClient:
        """Whose log it serves, and what `activity.client()` gives. Another client of the same log and namespace may be set
        while the worker runs."""
        return self._setup.client

    @client.setter
    def client(self, value: WorkerClient) -> None:
        before = self._setup.client
        if (value.namespace, value.log.cluster_id) != (before.namespace, before.log.cluster_id):
            raise ValueError(
                f"Expected a client of namespace {before.namespace!r} of the same log, found one of {value.namespace!r}: "
                "make another Worker for it"
            )
        self._setup = dataclasses.replace(self._setup, client=value)
        self._config["client"] = value
        if self._service is not None:
            self._service.change_client(value)

    @property
    def task_queue(self) -> str:
        return self._setup.queue

    @property
    def _activity_worker(self) -> Activities | None:
        """What runs its activities; ported tests look there for those that run. ``None`` before it has begun."""
        return None if self._service is None else self._service.executor

    @property
    def is_running(self) -> bool:
        """Whether it has started and not ended."""
        return self._started.is_set() and not self._ended.is_set()

    @property
    def is_shutdown(self) -> bool:
        """Whether it has ended."""
        return self._ended.is_set()

    @property
    def is_ready(self) -> bool:
        """Whether it serves: it has started, its groups have told it which partitions are its own (perhaps none), and all of
        them are restored. From any thread."""
        return (
            self._service is not None
            and self._started.is_set()
            and not self._stopping.is_set()
            and not self._ended.is_set()
            and self._service.pulses.ready
        )

    @property
    def in_turn_for(self) -> timedelta:
        """How long the longest of its present turns has been going on: seconds at most, unless something hangs. From any
        thread."""
        turning_ms = 0 if self._service is None else self._service.pulses.turning_ms
        return timedelta(milliseconds=turning_ms)

    def restore_progress(self) -> RestoreProgress | None:
        """How far it has come with all partitions that it restores; ``None`` while there is none. From any thread. It may wait
        for the log, so not on an event loop."""
        restores = None if self._service is None else self._service.restores
        return None if restores is None else restores.look()

    def config(self, *, active_config: bool = False) -> WorkerConfig:
        """The arguments of an equal worker: as given, or, with ``active_config``, as plugins have changed them."""
        config = (self._config if active_config else self._given).copy()
        config["plugins"] = list(config.get("plugins", ()))
        return config

    # -- running --------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Serves the queue until `shutdown`, or until this call is cancelled, which shuts down too.

        Raises:
            AppConflict: another Worker of this process serves the queue with other workflows.
            QueueMissing: the queue does not exist, and is not to be made on first use.
            LogError: it ended the work, or was away for the first 5 minutes; ``on_fatal_error`` was told before.
        """
        if self._begun:
            raise RuntimeError(
                "Already started: expected a new Worker, found one that has run; make another"
            )
        self._begun = True
        try:
            await run_through(self._plugins, Worker._run, self)
        finally:
            self._ended.set()

    async def _run(self) -> None:
        """The run itself, inside of what plugins put around it."""
        service = self._service = Service(self._setup)
        try:
            await service.start(self._stopping)
            self._started.set()
            await service.until(self._stopping)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            _log.error("worker_failed", queue=self.task_queue, error=repr(error))
            await self._tell_fatal(error)
            raise
        finally:
            graceful = self._config.get("graceful_shutdown_timeout", timedelta())
            await to_the_end(service.stop(graceful.total_seconds()))

    async def _tell_fatal(self, error: BaseException) -> None:
        tell = self._config.get("on_fatal_error")
        if tell is None:
            return
        try:
            await tell(error)
        except Exception:  # of the user's code: what ended the worker is raised all the same
            _log.exception("on_fatal_error_failed", queue=self.task_queue)

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
