"""Attempts on the event loop and in threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from streamflow import activity
from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.common import RawValue
from streamflow.converter import DataConverter, PayloadCodec
from streamflow.exceptions import ApplicationError, ApplicationErrorCategory, CancelledError
from streamflow.memory.clock import RealClock
from streamflow.model.commands import ActivityOutcome
from streamflow.model.failure import Failure, FailureKind, TimeoutKind
from streamflow.model.options import ActivityTimeouts
from streamflow.model.payload import Payload, Payloads
from streamflow.model.tasks import ActivityTask
from streamflow.worker.registry import Registry
from streamflow.worker.running.attempt import Attempt, Outcome
from streamflow.worker.running.executor import Executor
from tests.unit.worker.tasks import task_of, values

pytestmark = pytest.mark.asyncio
ASKED = ActivityCancellationDetails(cancel_requested=True)


@dataclass
class Order:
    id: int


@activity.defn
async def price(order: Order, factor: int) -> int:
    return order.id * factor


@activity.defn
def thread_name() -> str:
    return threading.current_thread().name


@activity.defn
async def tell_info() -> list[Any]:
    info = activity.info()
    return [
        info.activity_type,
        info.attempt,
        info.workflow_id,
        info.task_queue,
        info.started_time.year > 2000,
    ]


@activity.defn
async def refuse(reason: str) -> None:
    raise ApplicationError(reason, 7, type="Refused", non_retryable=True)


@activity.defn
async def wait_forever() -> None:
    await asyncio.Event().wait()


@activity.defn
def block_until_cancelled() -> None:
    while True:
        activity.wait_for_cancelled_sync(0.001)


@activity.defn(no_thread_cancel_exception=True)
def watch_for_cancel() -> str:
    activity.wait_for_cancelled_sync()
    details = activity.cancellation_details()
    return "asked" if details is not None and details.cancel_requested else "not asked"


@activity.defn
async def ignore_cancel() -> str:
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        return "cleaned up"
    raise AssertionError


@activity.defn
async def report_progress() -> list[Any]:
    before = list(activity.info().heartbeat_details)
    activity.heartbeat("half", 50)
    return before


@activity.defn
async def raise_quietly() -> None:
    raise ApplicationError("expected", category=ApplicationErrorCategory.BENIGN)


@activity.defn
async def unencodable() -> object:
    return object()


@activity.defn(dynamic=True)
async def anything(args: Sequence[RawValue]) -> list[Any]:
    converter = activity.payload_converter()
    return [activity.info().activity_type, *(converter.from_payload(arg.payload) for arg in args)]


ALL: list[Callable[..., Any]] = [
    price,
    thread_name,
    tell_info,
    refuse,
    wait_forever,
    block_until_cancelled,
    watch_for_cancel,
    ignore_cancel,
    report_progress,
    raise_quietly,
    unencodable,
]


class Stage:
    """An executor and the ends it tells."""

    def __init__(
        self,
        activities: Sequence[Callable[..., Any]] = ALL,
        *,
        slots: int = 10,
        converter: DataConverter = DataConverter.default,
    ) -> None:
        self.executor = Executor(
            Registry(activities), converter, RealClock(), namespace="default", slots=slots
        )
        self.beats: list[Payloads] = []

    def attempt(self, task: ActivityTask) -> tuple[Attempt, asyncio.Future[Outcome]]:
        ended: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        attempt = Attempt(
            task,
            ended=lambda _, outcome: ended.set_result(outcome),
            heartbeat=lambda _, details: self.beats.append(details),
        )
        return attempt, ended

    async def run(self, task: ActivityTask) -> Outcome:
        attempt, ended = self.attempt(task)
        self.executor.run([attempt])
        return await ended

    async def run_and_cancel(self, task: ActivityTask) -> Outcome:
        attempt, ended = self.attempt(task)
        self.executor.run([attempt])
        while not attempt.in_code:  # noqa: ASYNC110  # no event says so
            await asyncio.sleep(0)
        self.executor.cancel(attempt, ASKED)
        return await ended


def _result(outcome: Outcome) -> Any:
    assert outcome.kind is ActivityOutcome.COMPLETED, outcome
    assert outcome.result is not None
    return values.from_payload(outcome.result)


def _failure(outcome: Outcome) -> Failure:
    assert outcome.kind is ActivityOutcome.FAILED, outcome
    assert outcome.failure is not None
    return outcome.failure


async def test_arguments_come_as_the_hints_want_them() -> None:
    """A dataclass parameter gets its class."""
    outcome = await Stage().run(task_of("price", {"id": 3}, 5))

    assert _result(outcome) == 15


async def test_a_sync_activity_runs_in_a_thread() -> None:
    """It does not hold up the event loop."""
    outcome = await Stage().run(task_of("thread_name"))

    assert _result(outcome) != threading.current_thread().name


async def test_an_attempt_knows_what_it_is() -> None:
    """The task's facts are there for the code."""
    outcome = await Stage().run(task_of("tell_info", attempt=4))

    assert _result(outcome) == ["tell_info", 4, "w", "q", True]


async def test_an_error_is_reported_with_all_it_says() -> None:
    """Type, details and whether to retry reach the processor; the stack begins in user code."""
    failure = _failure(await Stage().run(task_of("refuse", "no card")))

    assert (failure.type, failure.message, failure.non_retryable) == ("Refused", "no card", True)
    assert values.from_payloads(failure.details) == [7]
    assert "in refuse" in failure.stack_trace
    assert "streamflow/worker/running/executor.py" not in failure.stack_trace


async def test_an_unknown_activity_fails_and_lists_the_known() -> None:
    """It may be retried: another worker, or a later version, may have it."""
    failure = _failure(await Stage([price, refuse]).run(task_of("prize")))

    assert (failure.type, failure.non_retryable) == ("NotFoundError", False)
    assert "price, refuse" in failure.message


async def test_a_dynamic_activity_takes_unknown_types() -> None:
    """It gets the arguments as they are stored."""
    outcome = await Stage([price, anything]).run(task_of("prize", 1, "a"))

    assert _result(outcome) == ["prize", 1, "a"]


async def test_a_result_that_cannot_be_encoded_fails_the_attempt() -> None:
    """The failure names the type that has no encoding."""
    failure = _failure(await Stage().run(task_of("unencodable")))

    assert (failure.type, "object" in failure.message) == ("TypeError", True)


async def test_an_argument_that_does_not_fit_fails_the_attempt() -> None:
    """The failure says what was expected and found."""
    failure = _failure(await Stage().run(task_of("price", {"id": "x"}, 5)))

    assert failure.message == "Failed decoding arguments"
    assert failure.cause is not None
    assert failure.cause.message == "Order.id: Expected value to be int, was <class 'str'>: 'x'"


@pytest.mark.parametrize("name", ["wait_forever", "block_until_cancelled"])
async def test_a_cancelled_attempt_ends_cancelled(name: str) -> None:
    """A task is cancelled, a thread gets the error raised into it."""
    outcome = await Stage().run_and_cancel(task_of(name))

    assert outcome.kind is ActivityOutcome.CANCELED
    assert outcome.failure is not None
    assert outcome.failure.kind is FailureKind.CANCELED


async def test_without_the_exception_a_thread_finds_out_by_itself() -> None:
    """``no_thread_cancel_exception`` leaves the thread alone, and its result counts."""
    outcome = await Stage().run_and_cancel(task_of("watch_for_cancel"))

    assert _result(outcome) == "asked"


async def test_an_attempt_may_end_well_in_spite_of_a_cancellation() -> None:
    """What the code returns after being asked to stop is its result."""
    outcome = await Stage().run_and_cancel(task_of("ignore_cancel"))

    assert _result(outcome) == "cleaned up"


async def test_cancelled_before_it_began() -> None:
    """The code is not run at all."""
    stage = Stage()
    attempt, ended = stage.attempt(task_of("refuse", "never"))
    attempt.cancellation.request(ASKED)

    stage.executor.run([attempt])

    assert (await ended).kind is ActivityOutcome.CANCELED


async def test_a_cancellation_that_nobody_asked_for_is_a_failure() -> None:
    """User code that raises CancelledError by itself is tried again like any that fails."""

    @activity.defn
    async def give_up() -> None:
        raise CancelledError("tired")

    failure = _failure(await Stage([give_up]).run(task_of("give_up")))

    assert (failure.kind, failure.type) == (FailureKind.APPLICATION, "CancelledError")


@pytest.mark.parametrize("name", ["wait_forever", "block_until_cancelled"])
@pytest.mark.parametrize("limit", ["start_to_close_ms", "schedule_to_close_ms"])
async def test_time_is_limited_here_too(name: str, limit: str) -> None:
    """The attempt is reported as timed out and its code is told to stop."""
    stage = Stage()
    task = task_of(name, attempt_scheduled_ms=1_000, timeouts=ActivityTimeouts(**{limit: 20}))

    failure = _failure(await stage.run(task))

    assert (failure.kind, failure.timeout_kind) == (FailureKind.TIMEOUT, TimeoutKind.START_TO_CLOSE)
    await stage.executor.idle()


async def test_heartbeats_pass_on_and_the_last_details_come_back() -> None:
    """What an attempt reports is what the next one finds."""
    stage = Stage()
    await stage.run(task_of("report_progress"))

    outcome = await stage.run(
        task_of("report_progress", attempt=2, heartbeat_details=stage.beats[0])
    )

    assert _result(outcome) == ["half", 50]


async def test_no_more_than_the_slots_run_at_once() -> None:
    """The others wait, and go on in order as room comes; priority 1 goes first."""
    running: list[int] = []
    order: list[int] = []
    most = 0

    @activity.defn
    async def work(number: int) -> None:
        nonlocal most
        running.append(number)
        order.append(number)
        most = max(most, len(running))
        await asyncio.sleep(0)
        running.remove(number)

    stage = Stage([work], slots=2)
    pairs = [stage.attempt(task_of("work", n, op=n, priority=1 if n == 5 else 0)) for n in range(6)]

    stage.executor.run([attempt for attempt, _ in pairs])
    await asyncio.gather(*(ended for _, ended in pairs))

    assert most == 2
    assert order == [5, 0, 1, 2, 3, 4]


async def test_a_withdrawn_attempt_is_not_begun() -> None:
    """Whoever claims an attempt first decides; the executor then leaves it alone."""
    stage = Stage()
    withdrawn, _ = stage.attempt(task_of("refuse", "never"))
    other, ended = stage.attempt(task_of("price", {"id": 1}, 1))

    assert withdrawn.claim()
    stage.executor.run([withdrawn, other])
    await ended

    assert withdrawn.started_ms == 0


async def test_while_stopping_only_what_must_run_begins() -> None:
    """A task that nobody else will be given is still made."""
    stage = Stage()
    stage.executor.begin_no_more()
    optional, _ = stage.attempt(task_of("price", {"id": 1}, 1))
    needed, ended = stage.attempt(task_of("price", {"id": 2}, 1))
    needed.must_run = True

    stage.executor.run([optional, needed])

    assert _result(await ended) == 2
    assert optional.started_ms == 0


class _Reversing(PayloadCodec):
    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        await asyncio.sleep(0)
        return [
            Payload({"encoding": b"r", "was": p.metadata["encoding"]}, p.data[::-1])
            for p in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        await asyncio.sleep(0)
        return [Payload({"encoding": p.metadata["was"]}, p.data[::-1]) for p in payloads]


async def test_a_codec_stands_between_the_log_and_the_code() -> None:
    """Arguments, results, heartbeats and failures are stored as the codec makes them."""
    codec = _Reversing()
    stage = Stage(converter=DataConverter(payload_codec=codec))
    args = tuple(await codec.encode(values.to_payloads([{"id": 3}, 12])))

    outcome = await stage.run(task_of("price", args=args))
    failed = await stage.run(
        task_of("refuse", args=tuple(await codec.encode(values.to_payloads(["x"]))))
    )
    await stage.run(task_of("report_progress"))
    while not stage.beats:  # noqa: ASYNC110  # encoded in a task of its own
        await asyncio.sleep(0)

    assert outcome.result == Payload({"encoding": b"r", "was": b"json/plain"}, b"63")
    assert _failure(failed).details[0].metadata["encoding"] == b"r"
    assert {payload.metadata["encoding"] for payload in stage.beats[0]} == {b"r"}


async def test_two_activities_of_one_name_are_refused() -> None:
    """One sees which name is taken, before anything runs."""
    with pytest.raises(ValueError, match="More than one activity named price"):
        Registry([price, price])
