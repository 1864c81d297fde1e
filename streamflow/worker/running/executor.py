"""Runs attempts on the worker's event loop and in its threads, so many at a time.

The poll thread hands attempts over in batches: one wake-up of the loop for as many as there are. Everything else happens
on the loop; only sync activities leave it (`calling`). Which of those that wait is next is `waiting`'s. Retries, and the
timeouts of what has not begun, are the processor's.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import AbstractContextManager, nullcontext
from contextvars import copy_context
from typing import Any

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.activity.context import CompleteAsyncError, Context, Once, enter
from streamflow.activity.definition import ActivityDefinition, runs_on_loop
from streamflow.converter import DataConverter
from streamflow.converter.codec import recode_mapping, recode_one
from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.engine.sizes import payload_bytes
from streamflow.exceptions import ApplicationError, CancelledError
from streamflow.model.commands import ActivityOutcome
from streamflow.model.failure import TimeoutKind
from streamflow.model.payload import Payload, Payloads
from streamflow.ports import Clock
from streamflow.worker.capacity.slots import FixedSlots, Slots, Wake
from streamflow.worker.interceptor import ExecuteActivityInput, Interceptor
from streamflow.worker.registry import Registry
from streamflow.worker.running import outcomes
from streamflow.worker.running.attempt import Attempt, Outcome
from streamflow.worker.running.beating import Beats
from streamflow.worker.running.calling import Caller
from streamflow.worker.running.information import converter_of, info_of
from streamflow.worker.running.interception import run_intercepted
from streamflow.worker.taking.waiting import Rate, Waiting

HEARTBEAT_BYTES_MAX = DEFAULT_LIMITS.payload_bytes_max
"""Of one heartbeat's details, as the converter made them, with the arguments: the next attempt's task brings both."""
OVERDUE_S = 0.5
"""So long after its activity's whole time is over an attempt is told to stop: the processor is to be first."""
_NOTHING = nullcontext()


class Executor:
    """Makes attempts, at most ``slots`` at once and no faster than the rates allow; the others wait."""

    def __init__(
        self,
        registry: Registry,
        converter: DataConverter,
        clock: Clock,
        *,
        namespace: str,
        slots: int | Callable[[Wake], Slots],
        client: Any = None,
        caller: Caller | None = None,
        rate: Rate | None = None,
        on_broken: Callable[[BaseException], None] | None = None,
        hold: Callable[[], AbstractContextManager[None]] | None = None,
        worker_shutdown: Once | None = None,
        interceptors: Sequence[Interceptor] = (),
        header_codec: bool = False,
    ) -> None:
        """To be made on the event loop that it is to use.

        Args:
            hold: Entered around each attempt: keeps a virtual clock from skipping time meanwhile.
            header_codec: Whether the codec has encoded the headers that interceptors are given.
            caller: Where sync activities run; by default in the loop's default executor.
            rate: How many may begin in a second.
            on_broken: Told when the executor of sync activities is of no use any more.
        """
        self._registry = registry
        self._converter = converter
        self._clock = clock
        self._namespace = namespace
        self._slots = FixedSlots(slots) if isinstance(slots, int) else slots(self._fill)
        self._client = client
        self._rate = rate or Rate(None)
        self.queue_rate = Rate(None)
        """This worker's share of the queue's rate; whoever knows of assignments sets it."""
        self._on_broken = on_broken
        self._filling: asyncio.TimerHandle | None = None
        self._hold = hold
        self._worker_shutdown = worker_shutdown or Once()
        self._caller = caller or Caller(None, None, self._worker_shutdown, converter)
        self._interceptors = tuple(interceptors)
        self._header_codec = header_codec
        self._loop = asyncio.get_running_loop()
        self._variables = copy_context()
        self._incoming: deque[Attempt] = deque()
        self._waking = False
        self._waiting: Waiting[Attempt] = Waiting()
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
    def _running_activities(self) -> Sequence[Attempt]:
        """The name that ported tests know `running` by."""
        return self.running

    @property
    def running(self) -> Sequence[Attempt]:
        return list(self._running)

    def begin_no_more(self) -> None:
        """What waits stays unbegun, except what must run."""
        self._stopping = True

    def close(self) -> None:
        """Nothing begins any more; slots that nobody used are given back."""
        self._slots.close()

    def cancel_all(self, details: ActivityCancellationDetails) -> None:
        for attempt in list(self._running):
            self._cancel(attempt, details)

    def change_client(self, client: Any) -> None:
        """What `activity.client()` gives to attempts that begin from now on."""
        self._client = client

    async def idle(self) -> None:
        """Returns once nothing runs."""
        while self._running:
            if self._idle is None:
                self._idle = self._loop.create_future()
            await asyncio.shield(self._idle)

    def _drain(self) -> None:
        self._waking = False
        while self._incoming:
            self._waiting.push(self._incoming.popleft())
        self._fill()

    def _fill(self) -> None:
        while self._waiting:
            if self._is_too_soon():
                return
            activity_type = self._waiting.first.task.activity_type
            permit = self._slots.take(activity_type)
            if permit is None:
                return
            attempt = self._waiting.pop()
            if not ((attempt.must_run or not self._stopping) and attempt.claim()):
                self._slots.give_back(activity_type, permit)
            else:
                attempt.slot = permit
                now_ms = self._loop.time() * 1_000
                self._rate.take(now_ms)
                self.queue_rate.take(now_ms)
                self._begin(attempt)

    def _is_too_soon(self) -> bool:
        """Whether a rate holds the next one back; it is then looked at again when that is over."""
        now_ms = self._loop.time() * 1_000
        wait_ms = max(self._rate.wait_ms(now_ms), self.queue_rate.wait_ms(now_ms))
        if wait_ms > 0 and self._filling is None:
            self._filling = self._loop.call_later(wait_ms / 1_000, self._fill_again)
        return wait_ms > 0

    def _fill_again(self) -> None:
        self._filling = None
        self._fill()

    def _begin(self, attempt: Attempt) -> None:
        task = attempt.task
        attempt.started_ms = self._clock.now_ms()
        definition = self._registry.find(task.activity_type)
        if definition is None:
            self._give_slot_back(attempt)
            self._tell(attempt, outcomes.unregistered(task, self._registry.names))
            return
        self._running[attempt] = None
        attempt.converter = converter_of(attempt, self._namespace, self._converter)
        codec, heartbeat = attempt.converter.pipeline, attempt.heartbeat
        if codec is not None and heartbeat is not None:
            attempt.beats = Beats(codec, self._loop, lambda details: heartbeat(attempt, details))
        self._limit(attempt)
        attempt.beaten_s = self._loop.time()
        self._watch_heartbeat(attempt)
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
            except CompleteAsyncError:
                outcome = outcomes.completed_elsewhere(attempt)
            except BaseException as raised:
                # Whatever leaves user code is how the attempt ended; the processor decides what follows.
                error = raised
            attempt.in_code = False
            try:
                if attempt.beats is not None:
                    await attempt.beats.settle()
                if outcome is None:
                    assert error is not None
                    outcome = await outcomes.failed(
                        error, attempt.task, attempt.cancellation.details, attempt.converter
                    )
            except BaseException as trouble:
                # The slot is given back and an end told whatever happens: the processor waits for both.
                error = error or trouble
                outcome = outcome or outcomes.failed_plainly(error, trouble)
            self._release(attempt)
            self._tell(attempt, outcome)
            if isinstance(error, BrokenExecutor) and self._on_broken is not None:
                self._on_broken(error)
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise error

    async def _outcome(self, attempt: Attempt, definition: ActivityDefinition) -> Outcome:
        if attempt.cancellation.requested:
            raise CancelledError("Cancelled before it began")
        converter = attempt.converter
        context = self._context(attempt, definition)
        enter(context)
        try:
            args = await self._args(attempt, definition)
        except Exception as error:  # of the user's converter or codec, or what the arguments are
            raise ApplicationError("Failed decoding arguments") from error
        if self._interceptors:
            value = await self._intercepted(attempt, definition, context, args)
        else:
            value = await self._caller.call(attempt, definition, context, args)
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
            return await self._caller.call(attempt, changed, context, args)

        executor = None if definition.is_async else self._caller.executor
        given = ExecuteActivityInput(definition.fn, args, executor, headers)
        return await run_intercepted(self._interceptors, context, given, call)

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
        attempt.beaten_s = self._loop.time()
        payloads: Payloads = tuple(attempt.converter.payload_converter.to_payloads(details))
        # With an external storage what is large is not what is sent.
        bounded = attempt.converter.external_storage is None
        if (
            payloads
            and bounded
            and (size := payload_bytes(payloads, attempt.task.args, attempt.task.headers))
            > HEARTBEAT_BYTES_MAX
        ):
            raise ValueError(
                f"Expected heartbeat details of at most {HEARTBEAT_BYTES_MAX} bytes with the activity's arguments, found "
                f"{size}: keep large data in a store of its own and pass a reference"
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

    def _limit(self, attempt: Attempt) -> None:
        """Sets a timer for the limit that ends first: that of the attempt, or what it has of the activity's."""
        task = attempt.task
        limit_ms, whole_ms = task.timeouts.start_to_close_ms, task.timeouts.schedule_to_close_ms
        if whole_ms is not None:
            whole_ms = max(whole_ms - (task.attempt_scheduled_ms - task.scheduled_ms), 0)
        if limit_ms is not None and (whole_ms is None or limit_ms <= whole_ms):
            attempt.timer = self._loop.call_later(limit_ms / 1_000, self._expire, attempt)
        elif whole_ms is not None:
            after_s = whole_ms / 1_000 + OVERDUE_S
            attempt.timer = self._loop.call_later(after_s, self._overdue, attempt)

    def _overdue(self, attempt: Attempt) -> None:
        """The processor has ended the activity by itself: nobody waits for this attempt any more."""
        attempt.timer = None
        self._cancel(attempt, ActivityCancellationDetails(timed_out=True))

    def _expire(self, attempt: Attempt) -> None:
        """Told at once, so that the next attempt need not wait for code that may not stop; the slot is still taken."""
        attempt.timer = None
        self._tell(attempt, outcomes.timed_out(attempt.task, TimeoutKind.START_TO_CLOSE))
        self._cancel(attempt, ActivityCancellationDetails(timed_out=True))

    def _watch_heartbeat(self, attempt: Attempt) -> None:
        """Tells when there was none for too long; looked at again when the last one would be that old."""
        attempt.beat_timer = None
        limit_ms = attempt.task.timeouts.heartbeat_ms
        if limit_ms is None or attempt.is_local or attempt.outcome is not None:
            return
        left_s = attempt.beaten_s + limit_ms / 1_000 - self._loop.time()
        if left_s > 0:
            attempt.beat_timer = self._loop.call_later(left_s, self._watch_heartbeat, attempt)
            return
        self._tell(attempt, outcomes.timed_out(attempt.task, TimeoutKind.HEARTBEAT))
        self._cancel(attempt, ActivityCancellationDetails(timed_out=True))

    def _release(self, attempt: Attempt) -> None:
        if attempt.timer is not None:
            attempt.timer.cancel()
            attempt.timer = None
        if attempt.beat_timer is not None:
            attempt.beat_timer.cancel()
            attempt.beat_timer = None
        attempt.loop_task = None  # whose variables lead back to the attempt
        del self._running[attempt]
        self._give_slot_back(attempt)
        if self._idle is not None and not self._running:
            self._idle.set_result(None)
            self._idle = None
        self._fill()

    def _give_slot_back(self, attempt: Attempt) -> None:
        permit, attempt.slot = attempt.slot, None
        if permit is not None:
            self._slots.give_back(attempt.task.activity_type, permit)

    def _tell(self, attempt: Attempt, outcome: Outcome) -> None:
        if attempt.outcome is None:
            attempt.outcome = outcome
            attempt.ended(attempt, outcome)
