"""Runs attempts on the worker's event loop and in its threads, so many at a time.

The poll thread hands attempts over in batches: one wake-up of the loop for as many as there are. Everything else happens
on the loop; only sync activities leave it. Retries, and the three other timeouts, are the processor's.
"""

from __future__ import annotations

import asyncio
import dataclasses
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor as ThreadExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Any

from streamflow.activity.cancellation import ActivityCancellationDetails, ThreadInterrupt
from streamflow.activity.context import Context, Once, enter
from streamflow.activity.definition import ActivityDefinition, runs_on_loop
from streamflow.converter import DataConverter
from streamflow.converter.codec import recode_mapping, recode_one
from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.engine.sizes import payload_bytes
from streamflow.exceptions import CancelledError
from streamflow.model.commands import ActivityOutcome
from streamflow.model.payload import Payload, Payloads
from streamflow.ports import Clock
from streamflow.worker import outcomes
from streamflow.worker.attempt import Attempt, Outcome
from streamflow.worker.beating import Beats
from streamflow.worker.information import converter_of, info_of
from streamflow.worker.interception import run_intercepted
from streamflow.worker.interceptor import ExecuteActivityInput, Interceptor
from streamflow.worker.registry import Registry

DEFAULT_PRIORITY = 3
HEARTBEAT_BYTES_MAX = DEFAULT_LIMITS.payload_bytes_max
"""Of one heartbeat's details, as the converter made them."""
_NOTHING = nullcontext()


class Executor:
    """Makes attempts, at most ``slots`` at once; the others wait by priority, then in order."""

    def __init__(
        self,
        registry: Registry,
        converter: DataConverter,
        clock: Clock,
        *,
        namespace: str,
        slots: int,
        client: Any = None,
        threads: ThreadExecutor | None = None,
        hold: Callable[[], AbstractContextManager[None]] | None = None,
        worker_shutdown: Once | None = None,
        interceptors: Sequence[Interceptor] = (),
        header_codec: bool = False,
    ) -> None:
        """To be made on the event loop that it is to use.

        Args:
            hold: Entered around each attempt: keeps a virtual clock from skipping time meanwhile.
            header_codec: Whether the codec has encoded the headers that interceptors are given.
            threads: Where sync activities run; ``None`` is the loop's default executor.
        """
        self._registry = registry
        self._converter = converter
        self._clock = clock
        self._namespace = namespace
        self._slots = slots
        self._client = client
        self._threads = threads
        self._hold = hold
        self._worker_shutdown = worker_shutdown or Once()
        self._interceptors = tuple(interceptors)
        self._header_codec = header_codec
        self._loop = asyncio.get_running_loop()
        self._variables = copy_context()
        self._incoming: deque[Attempt] = deque()
        self._waking = False
        self._waiting: list[tuple[int, int, Attempt]] = []
        self._order = itertools.count()
        self._running: dict[Attempt, None] = {}
        self._idle: asyncio.Future[None] | None = None
        self._stopping = False

    # -- from any thread ------------------------------------------------------------------------------------------

    def run(self, attempts: Iterable[Attempt]) -> None:
        """Makes these attempts as soon as there is room; each `Attempt.ended` is called once, on the loop."""
        self._incoming.extend(attempts)
        # Set before the call and cleared before the drain, so that no attempt is left behind.
        if not self._waking:
            self._waking = True
            self._loop.call_soon_threadsafe(self._drain)

    def cancel(self, attempt: Attempt, details: ActivityCancellationDetails) -> None:
        """Asks the attempt to stop; its end is still told."""
        self._loop.call_soon_threadsafe(self._cancel, attempt, details)

    # -- on the loop ----------------------------------------------------------------------------------------------

    @property
    def running(self) -> Sequence[Attempt]:
        return list(self._running)

    def begin_no_more(self) -> None:
        """What waits stays unbegun, except what must run."""
        self._stopping = True

    def cancel_all(self, details: ActivityCancellationDetails) -> None:
        for attempt in list(self._running):
            self._cancel(attempt, details)

    async def idle(self) -> None:
        """Returns once nothing runs."""
        while self._running:
            if self._idle is None:
                self._idle = self._loop.create_future()
            await asyncio.shield(self._idle)

    def _drain(self) -> None:
        self._waking = False
        while self._incoming:
            attempt = self._incoming.popleft()
            priority = attempt.task.priority or DEFAULT_PRIORITY
            heapq.heappush(self._waiting, (priority, next(self._order), attempt))
        self._fill()

    def _fill(self) -> None:
        while self._waiting and len(self._running) < self._slots:
            attempt = heapq.heappop(self._waiting)[2]
            if (attempt.must_run or not self._stopping) and attempt.claim():
                self._begin(attempt)

    def _begin(self, attempt: Attempt) -> None:
        task = attempt.task
        attempt.started_ms = self._clock.now_ms()
        definition = self._registry.find(task.activity_type)
        if definition is None:
            self._tell(attempt, outcomes.unregistered(task, self._registry.names))
            return
        self._running[attempt] = None
        attempt.converter = converter_of(attempt, self._namespace, self._converter)
        codec, heartbeat = attempt.converter.pipeline, attempt.heartbeat
        if codec is not None and heartbeat is not None:
            attempt.beats = Beats(codec, self._loop, lambda details: heartbeat(attempt, details))
        limit_ms = task.timeouts.start_to_close_ms
        if limit_ms is not None:
            attempt.timer = self._loop.call_later(limit_ms / 1_000, self._expire, attempt)
        # Each attempt has variables of its own, as set when the worker was started.
        attempt.loop_task = self._loop.create_task(
            self._make(attempt, definition), context=self._variables.copy()
        )

    async def _make(self, attempt: Attempt, definition: ActivityDefinition) -> None:
        with _NOTHING if self._hold is None else self._hold():
            outcome, error = None, None
            attempt.in_code = True
            try:
                outcome = await self._outcome(attempt, definition)
            except BaseException as raised:
                # Whatever leaves user code is how the attempt ended; the processor decides what follows.
                error = raised
            attempt.in_code = False
            if attempt.beats is not None:
                await attempt.beats.settle()
            if outcome is None:
                assert error is not None
                outcome = await outcomes.failed(
                    error, attempt.task, attempt.cancellation.details, attempt.converter
                )
            self._release(attempt)
            self._tell(attempt, outcome)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise error

    async def _outcome(self, attempt: Attempt, definition: ActivityDefinition) -> Outcome:
        if attempt.cancellation.requested:
            raise CancelledError("Cancelled before it began")
        converter = attempt.converter
        context = self._context(attempt, definition)
        enter(context)
        args = await self._args(attempt, definition)
        if self._interceptors:
            value = await self._intercepted(attempt, definition, context, args)
        elif definition.is_async:
            value = await definition.fn(*args)
        else:
            value = await self._in_thread(attempt, definition, context, args)
        payload = converter.payload_converter.to_payload(value)
        if converter.pipeline is not None:
            payload = await recode_one(payload, converter.pipeline.encode)
        return Outcome(ActivityOutcome.COMPLETED, payload)

    async def _args(self, attempt: Attempt, definition: ActivityDefinition) -> Sequence[Any]:
        payloads: Sequence[Payload] = attempt.task.args
        codec = attempt.converter.pipeline
        if codec is not None:
            payloads = await codec.decode(payloads) if payloads else payloads
            if attempt.last_details:
                attempt.last_details = tuple(await codec.decode(attempt.last_details))
        hints = [*definition.hints_for(len(payloads))]
        values = attempt.converter.payload_converter.from_payloads(payloads, hints)
        return [values] if definition.dynamic else values

    async def _intercepted(
        self,
        attempt: Attempt,
        definition: ActivityDefinition,
        context: Context,
        args: Sequence[Any],
    ) -> Any:
        headers = attempt.task.headers
        codec = attempt.converter.pipeline
        if codec is not None and self._header_codec and headers:
            headers = await recode_mapping(headers, codec.decode)

        async def call(fn: Callable[..., Any], args: Sequence[Any]) -> Any:
            if runs_on_loop(fn):
                return await fn(*args)
            changed = dataclasses.replace(definition, fn=fn)
            return await self._in_thread(attempt, changed, context, args)

        executor = None if definition.is_async else self._threads
        given = ExecuteActivityInput(definition.fn, args, executor, headers)
        return await run_intercepted(self._interceptors, context, given, call)

    async def _in_thread(
        self,
        attempt: Attempt,
        definition: ActivityDefinition,
        context: Context,
        args: Sequence[Any],
    ) -> Any:
        variables = copy_context()
        return await self._loop.run_in_executor(
            self._threads, lambda: variables.run(_run_sync, attempt, definition, context, args)
        )

    def _context(self, attempt: Attempt, definition: ActivityDefinition) -> Context:
        return Context(
            make_info=lambda: info_of(attempt, self._namespace, attempt.converter),
            heartbeat=lambda details: self._heartbeat(attempt, details),
            cancellation=attempt.cancellation,
            worker_shutdown=self._worker_shutdown,
            payload_converter=attempt.converter.payload_converter,
            client=self._client,
            is_async=definition.is_async,
        )

    def _heartbeat(self, attempt: Attempt, details: Sequence[Any]) -> None:
        """Called from the attempt's task or thread. Details are converted now: their owner may change them later."""
        if attempt.heartbeat is None:
            return
        payloads: Payloads = tuple(attempt.converter.payload_converter.to_payloads(details))
        if (size := payload_bytes(payloads)) > HEARTBEAT_BYTES_MAX:
            raise ValueError(
                f"Expected heartbeat details of at most {HEARTBEAT_BYTES_MAX} bytes, found {size}: keep large data in a "
                "store of its own and pass a reference"
            )
        if attempt.beats is None:
            attempt.heartbeat(attempt, payloads)
        else:
            attempt.beats.add(payloads)

    # -- ends -----------------------------------------------------------------------------------------------------

    def _cancel(self, attempt: Attempt, details: ActivityCancellationDetails) -> None:
        # A sync activity learns of it in its thread; its loop task waits for that.
        first = attempt.cancellation.request(details)
        if first and attempt.in_code and attempt.loop_task is not None:
            definition = self._registry.find(attempt.task.activity_type)
            if definition is not None and definition.is_async:
                attempt.loop_task.cancel()

    def _expire(self, attempt: Attempt) -> None:
        """Told at once, so that the next attempt need not wait for code that may not stop; the slot is still taken."""
        attempt.timer = None
        self._tell(attempt, outcomes.timed_out(attempt.task))
        self._cancel(attempt, ActivityCancellationDetails(timed_out=True))

    def _release(self, attempt: Attempt) -> None:
        if attempt.timer is not None:
            attempt.timer.cancel()
            attempt.timer = None
        attempt.loop_task = None  # whose variables lead back to the attempt
        del self._running[attempt]
        if self._idle is not None and not self._running:
            self._idle.set_result(None)
            self._idle = None
        self._fill()

    def _tell(self, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.outcome is None:
            attempt.outcome = outcome
            attempt.ended(attempt, outcome)


def _run_sync(
    attempt: Attempt, definition: ActivityDefinition, context: Context, args: Sequence[Any]
) -> Any:
    """On the thread. What is raised into it may strike at any point, so the result is kept before the thread is safe."""
    if attempt.cancellation.requested:
        raise CancelledError("Cancelled before it began")
    if definition.no_thread_cancel_exception:
        return definition.fn(*args)
    interrupt = ThreadInterrupt(attempt.cancellation)
    context.interrupt = interrupt
    results: list[Any] = []
    try:
        try:
            results.append(definition.fn(*args))
        finally:
            interrupt.finish()
    except CancelledError:
        interrupt.finish()
        if not results:
            raise
    return results[0]
