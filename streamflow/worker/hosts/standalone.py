"""Runs the activities that clients start: a worker within the worker, on the queue that the namespace has for them.

Each is a run of `StandaloneActivity`, which does nothing but have the activity made on the queue that its caller named. Every
worker that takes activity tasks serves that queue from when a client has made it; values pass as they are stored.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from streamflow import workflow
from streamflow.common import HeaderCodecBehavior, RawValue
from streamflow.converter import DataConverter
from streamflow.coroutine.beginning import begin_activity
from streamflow.coroutine.context import current
from streamflow.coroutine.machines.activity import ActivityRequest
from streamflow.model import standalone
from streamflow.model.options import CancellationType
from streamflow.observability import get_logger
from streamflow.ports import Log, LogError, Unavailable
from streamflow.topology import inbox_topic, read_queues
from streamflow.worker.registry import Registry
from streamflow.worker.setup import Setup, WorkerClient, definitions_of

_log = get_logger("worker")

LOOK_S = 0.5
"""How often a worker looks whether a client has made the queue."""

LOOK_IN_MEMORY_S = 0.02
"""How soon it looks again at first where looking costs nothing; each time it waits twice as long, up to the above."""

AGAIN_S = 5.0
"""How soon what has failed is begun again."""

hosted: set[tuple[str, str]] = set()
"""Logs (by their clusters' IDs) and namespaces of this process whose queue a `standalone_host.StandaloneHost` serves."""


@workflow.defn(name=standalone.WORKFLOW_TYPE)
class StandaloneActivity:
    """Has one activity made."""

    @workflow.run
    async def run(self, order: RawValue) -> RawValue:
        spec = standalone.decode_spec(order.payload)
        request = ActivityRequest(
            activity_type=spec.activity_type,
            activity_id=spec.activity_id,
            queue=spec.queue,
            args=spec.args,
            headers=spec.headers,
            timeouts=spec.timeouts,
            retry_policy=spec.retry_policy,
            cancellation_type=CancellationType.WAIT_CANCELLATION_COMPLETED,
            summary=spec.summary,
            priority=spec.priority,
            fairness_key=spec.fairness_key,
            fairness_weight=spec.fairness_weight,
            start_delay_ms=spec.start_delay_ms,
        )
        result: RawValue = await begin_activity(current(), request, RawValue)
        return result


class Part(Protocol):
    """A worker's parts, as `service.Service` has them."""

    async def start(self) -> None: ...

    async def until(self, stopping: asyncio.Event) -> None: ...

    async def stop(self, graceful_s: float) -> None: ...


class Standalone:
    """Looks for the queue, serves it once it is there, and lets it go with its worker."""

    def __init__(self, setup: Setup, make: Callable[[Setup], Part]) -> None:
        self._setup = setup
        self._make = make
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def end(self) -> None:
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        """Until the worker ends. What fails is begun again: the worker's own work goes on meanwhile."""
        while await self._found():
            part = self._make(_inner(self._setup))
            try:
                await part.start()
                await part.until(self._stopping)
            except Exception as error:  # of the log or the disk, as it may end any worker
                _log.error("standalone_activities_failed", error=repr(error))
            finally:
                await part.stop(0)
            if await _within(self._stopping.wait(), AGAIN_S):
                return

    async def _found(self) -> bool:
        """Whether the queue is there before the worker stops."""
        log: Log = self._setup.client.log
        topic = inbox_topic(self._setup.client.namespace, standalone.QUEUE)
        apart_s = LOOK_S if log.threaded else LOOK_IN_MEMORY_S
        key = (log.cluster_id, self._setup.client.namespace)
        while key in hosted or not await _is_there(log, topic) or not await self._is_made(log):
            if await _within(self._stopping.wait(), apart_s):
                return False
            apart_s = min(2 * apart_s, LOOK_S)
        return not self._stopping.is_set()

    async def _is_made(self, log: Log) -> bool:
        """Whether the directory has it: its topics are there a moment before."""

        def read() -> bool:
            return standalone.QUEUE in read_queues(log, self._setup.client.namespace)

        try:
            return await asyncio.to_thread(read) if log.threaded else read()
        except LogError as error:
            _log.warning("queues_not_read", error=str(error))
            return False


async def _is_there(log: Log, topic: str) -> bool:
    """What is known of topics may have to be asked for again: that must not hold up the event loop."""
    try:
        known = await asyncio.to_thread(log.topics) if log.threaded else log.topics()
        return topic in known
    except Unavailable:
        return False  # the log is away for now; it is asked again


async def _within(happening: Awaitable[Any], seconds: float) -> bool:
    try:
        await asyncio.wait_for(happening, seconds)
    except TimeoutError:
        return False
    return True


def _inner(setup: Setup) -> Setup:
    """The worker within: it has no activities of its own, and reads no user's values."""
    return dataclasses.replace(
        setup,
        client=_Plain(setup.client),
        queue=standalone.QUEUE,
        definitions=definitions_of([StandaloneActivity], []),
        registry=Registry([]),
        takes_tasks=False,
        threads=None,
        shared_state=None,
        interceptors=(),
        build_id="",
    )


class _Plain:
    """The worker's client, but for its converter: what passes through here is passed on as it is."""

    def __init__(self, client: WorkerClient) -> None:
        self.log = client.log
        self.namespace = client.namespace
        self.identity = client.identity
        self.create_topics = False  # whoever starts the first activity makes the queue
        self.runtime = client.runtime
        self.data_converter = DataConverter.default
        self.header_codec_behavior = HeaderCodecBehavior.NO_CODEC

    def config(self, *, active_config: bool = False) -> Mapping[str, Any]:
        """No plugins and no interceptors: those are for users' code."""
        return {}

    async def require_namespace(self) -> None:
        """The worker around this one has asked."""
