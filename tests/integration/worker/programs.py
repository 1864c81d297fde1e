"""Workflows that use everything there is, each a small part of it; and the activities they need."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NoReturn

from streamflow import activity, workflow
from streamflow.app import App
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError, ApplicationError, CancelledError
from streamflow.workflow import ActivityCancellationType

QUEUE = "main"
SIDE = "side"
"""A queue of activities only, served by a process that tests kill."""

LIMIT = timedelta(seconds=30)
SOON = RetryPolicy(initial_interval=timedelta(milliseconds=10))
ONCE = RetryPolicy(maximum_attempts=1)


# -- activities ---------------------------------------------------------------------------------------------------


@activity.defn
async def double(number: int) -> int:
    return number * 2


@activity.defn
def shout(text: str) -> str:
    """Sync, so it runs on a thread."""
    return text.upper()


class Shop:
    def __init__(self, name: str) -> None:
        self.name = name

    @activity.defn
    async def sell(self, item: str) -> str:
        return f"{item} from {self.name}"


@activity.defn
async def third_time() -> int:
    if activity.info().attempt < 3:
        raise ApplicationError("not yet", type="NotYet")
    return activity.info().attempt


@activity.defn
async def postpone() -> float:
    """Its first failure says when to try again."""
    if activity.info().attempt == 1:
        raise ApplicationError("later", next_retry_delay=timedelta(milliseconds=300))
    return time.time()


@activity.defn
async def decline() -> NoReturn:
    raise ApplicationError("card declined", "visa", type="Declined", non_retryable=True)


@activity.defn
async def break_down() -> NoReturn:
    raise ValueError("a bug")


@activity.defn
async def hang(seconds: float) -> None:
    await asyncio.sleep(seconds)


@activity.defn
async def count_on(target: int) -> list[Any]:
    """Heartbeats how far it came; a later attempt goes on from there. Says where it began and on which attempt."""
    details = activity.info().heartbeat_details
    begun = at = int(details[0]) if details else 0
    while at < target:
        at += 1
        activity.heartbeat(at)
        await asyncio.sleep(0.05)
    return [begun, activity.info().attempt]


@activity.defn
async def tidy_when_cancelled() -> str:
    """Notices its cancellation by heartbeats, takes a moment to clean up, and ends as cancelled."""
    try:
        while True:
            activity.heartbeat("at work")
            await asyncio.sleep(0.05)
    except asyncio.CancelledError:
        await asyncio.sleep(0.3)
        raise


# -- workflows ----------------------------------------------------------------------------------------------------


@workflow.defn
class EveryKind:
    """Ordinary and local activities: functions, sync ones, methods, and by name."""

    @workflow.run
    async def run(self, number: int) -> list[Any]:
        ordinary = await workflow.execute_activity(double, number, start_to_close_timeout=LIMIT)
        threaded = await workflow.execute_activity(shout, "loud", start_to_close_timeout=LIMIT)
        method = await workflow.execute_activity_method(
            Shop.sell, "tea", start_to_close_timeout=LIMIT
        )
        named = await workflow.execute_activity("double", 4, start_to_close_timeout=LIMIT)
        local = await workflow.execute_local_activity(shout, "near", start_to_close_timeout=LIMIT)
        retried = await workflow.execute_local_activity(
            third_time, start_to_close_timeout=LIMIT, retry_policy=SOON
        )
        return [ordinary, threaded, method, named, local, retried]


@workflow.defn
class Retrying:
    @workflow.run
    async def run(self) -> list[Any]:
        third = await workflow.execute_activity(
            third_time, start_to_close_timeout=LIMIT, retry_policy=SOON
        )
        begun = workflow.time()
        later = await workflow.execute_activity(
            postpone, start_to_close_timeout=LIMIT, retry_policy=SOON
        )
        return [third, later - begun, await _failure_of("decline"), await self._of_type()]

    async def _of_type(self) -> list[Any]:
        return await _failure_of(
            "break_down", retry_policy=RetryPolicy(non_retryable_error_types=["ValueError"])
        )


async def _failure_of(name: str, **options: Any) -> list[Any]:
    """What an activity failed with, told as plain values."""
    try:
        await workflow.execute_activity(name, start_to_close_timeout=LIMIT, **options)
    except ActivityError as error:
        cause = error.cause
        assert isinstance(cause, ApplicationError)
        return [cause.type, cause.message, list(cause.details)]
    return []


@workflow.defn
class TimingOut:
    """Runs into each limit of an activity, and says what each timeout says of itself."""

    @workflow.run
    async def run(self) -> list[str]:
        tenth = timedelta(milliseconds=100)
        wanted: list[dict[str, Any]] = [
            {"start_to_close_timeout": tenth, "retry_policy": ONCE},
            {"schedule_to_close_timeout": tenth},
            {
                "schedule_to_start_timeout": tenth,
                "start_to_close_timeout": LIMIT,
                "task_queue": "nobody",
            },
            {
                "heartbeat_timeout": tenth,
                "start_to_close_timeout": LIMIT,
                "retry_policy": ONCE,
            },
        ]
        return list(await asyncio.gather(*(self._kind(options) for options in wanted)))

    async def _kind(self, options: dict[str, Any]) -> str:
        try:
            await workflow.execute_activity("hang", 20, **options)
        except ActivityError as error:
            kind = getattr(error.cause, "type", None)
            return f"{type(error.cause).__name__} {getattr(kind, 'name', None)}"
        return "in time"


@workflow.defn
class Counting:
    """One activity on the queue whose worker is killed."""

    @workflow.run
    async def run(self, target: int) -> list[Any]:
        return await workflow.execute_activity(
            count_on,
            target,
            task_queue=SIDE,
            start_to_close_timeout=timedelta(minutes=1),
            heartbeat_timeout=timedelta(seconds=6),
            retry_policy=SOON,
        )


@workflow.defn
class Cancelling:
    """Cancels an activity of its own in the given way; says how it ended and after how long."""

    @workflow.run
    async def run(self, how: str) -> list[Any]:
        handle = workflow.start_activity(
            tidy_when_cancelled,
            start_to_close_timeout=LIMIT,
            heartbeat_timeout=timedelta(seconds=5),
            cancellation_type=ActivityCancellationType[how.upper()],
        )
        await workflow.sleep(0.3)
        begun = workflow.time()
        handle.cancel()
        try:
            await handle
        except ActivityError as error:
            return [type(error.cause).__name__, workflow.time() - begun]
        except CancelledError:
            return ["at once", workflow.time() - begun]
        return ["completed", workflow.time() - begun]


@workflow.defn
class Told:
    """Takes signals in order, answers queries, and waits for one of a given name, at most so long."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.late = False

    @workflow.run
    async def run(self, seconds: float = 30) -> list[str]:
        try:
            await workflow.wait_condition(lambda: "stop" in self.heard, timeout=seconds)
        except TimeoutError:
            self.late = True
        return self.heard

    @workflow.signal
    def say(self, word: str) -> None:
        self.heard.append(word)

    @workflow.query
    def words(self) -> list[str]:
        return self.heard

    @workflow.query
    def was_late(self) -> bool:
        return self.late

    @workflow.query
    def nth(self, index: int) -> str:
        return self.heard[index]


@workflow.defn
class CleaningUp:
    """Cancelled, it undoes what it did, shielded by being past its cancellation, and ends as cancelled."""

    def __init__(self) -> None:
        self.cleaned = ""

    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.sleep(timedelta(days=1))
        except asyncio.CancelledError:
            self.cleaned = await workflow.execute_activity(
                shout, "clean", start_to_close_timeout=LIMIT
            )
            raise

    @workflow.query
    def state(self) -> str:
        return self.cleaned


@workflow.defn
class Chain:
    @workflow.run
    async def run(self, left: int, sum_: int = 0) -> int:
        if left == 0:
            return sum_
        workflow.continue_as_new(args=[left - 1, sum_ + left])


@workflow.defn
class Stubborn:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            break_down,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=10),
                maximum_interval=timedelta(hours=1),
                backoff_coefficient=1_000_000,
            ),
        )


@workflow.defn
class Concurrent:
    """The tools of asyncio, over timers and activities, and what is deterministic beside them."""

    @workflow.run
    async def run(self) -> dict[str, Any]:
        began = workflow.now()
        doubled = await asyncio.gather(*(self._double(number) for number in range(5)))
        try:
            await asyncio.wait_for(workflow.sleep(60), 0.05)
            waited = "slept"
        except TimeoutError:
            waited = "timed out"
        try:
            async with asyncio.timeout(0.05):
                await workflow.wait_condition(lambda: False)
        except TimeoutError:
            waited += " twice"
        numbers: asyncio.Queue[int] = asyncio.Queue(maxsize=1)
        taken: list[int] = []
        lock = asyncio.Lock()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._put(numbers))
            group.create_task(self._take(numbers, taken, lock))
        return {
            "doubled": doubled,
            "waited": waited,
            "taken": taken,
            "passed": (workflow.now() - began).total_seconds() >= 0.1,
            "chance": workflow.random().random(),
            "id": str(workflow.uuid4()),
            "type": workflow.info().workflow_type,
        }

    async def _double(self, number: int) -> int:
        return await workflow.execute_activity(double, number, start_to_close_timeout=LIMIT)

    async def _put(self, numbers: asyncio.Queue[int]) -> None:
        for number in range(3):
            await numbers.put(number)
            await workflow.sleep(0.01)

    async def _take(
        self, numbers: asyncio.Queue[int], taken: list[int], lock: asyncio.Lock
    ) -> None:
        for _ in range(3):
            async with lock:
                taken.append(await numbers.get())


WORKFLOWS = [
    EveryKind,
    Retrying,
    TimingOut,
    Counting,
    Cancelling,
    Told,
    CleaningUp,
    Chain,
    Stubborn,
    Concurrent,
]
ACTIVITIES: list[Callable[..., Any]] = [
    double,
    shout,
    Shop("the corner").sell,
    third_time,
    postpone,
    decline,
    break_down,
    hang,
    tidy_when_cancelled,
]

side = App(SIDE, activities=[count_on], namespace=os.environ.get("SIDE_NAMESPACE", "default"))
