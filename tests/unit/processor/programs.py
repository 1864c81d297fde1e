"""Workflows that the processor's tests run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streamflow import workflow
from streamflow.common import RetryPolicy
from streamflow.exceptions import ApplicationError

MINUTE = timedelta(minutes=1)


@workflow.defn
class Hello:
    @workflow.run
    async def run(self, name: str = "you") -> str:
        return f"hello {name}"


@workflow.defn
class Counter:
    """Counts signals until it is told to end."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.over = False

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: self.over)
        return self.seen

    @workflow.signal
    def add(self, what: str) -> None:
        self.seen.append(what)

    @workflow.signal
    def end(self) -> None:
        self.over = True

    @workflow.query
    def count(self) -> int:
        return len(self.seen)


@workflow.defn
class Charge:
    """One activity."""

    @workflow.run
    async def run(self, options: dict[str, Any] | None = None) -> Any:
        given = options or {}
        return await workflow.execute_activity(
            "charge",
            start_to_close_timeout=timedelta(seconds=given.get("start_to_close_s", 60)),
            heartbeat_timeout=(
                timedelta(seconds=given["heartbeat_s"]) if "heartbeat_s" in given else None
            ),
            schedule_to_close_timeout=(
                timedelta(seconds=given["to_close_s"]) if "to_close_s" in given else None
            ),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(seconds=10), maximum_attempts=given.get("attempts", 0)
            ),
            task_queue=given.get("queue"),
        )


@workflow.defn
class Local:
    @workflow.run
    async def run(self) -> Any:
        return await workflow.execute_local_activity(
            "measure", start_to_close_timeout=timedelta(seconds=60)
        )


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self, seconds: int) -> str:
        await workflow.sleep(timedelta(seconds=seconds))
        return "rested"


@workflow.defn
class FanOut:
    @workflow.run
    async def run(self, count: int) -> int:
        handles = [
            workflow.start_activity("charge", start_to_close_timeout=MINUTE) for _ in range(count)
        ]
        for handle in handles:
            await handle
        return count


@workflow.defn
class Chain:
    """Continues as new so many times."""

    @workflow.run
    async def run(self, left: int) -> str:
        if left:
            workflow.continue_as_new(left - 1)
        return "end of the chain"


@workflow.defn
class Turning:
    """Continues as new at each signal."""

    def __init__(self) -> None:
        self.turned = False
        self.number = 0

    @workflow.run
    async def run(self, number: int) -> None:
        self.number = number
        await workflow.wait_condition(lambda: self.turned)
        workflow.continue_as_new(number + 1)

    @workflow.signal
    def turn(self) -> None:
        self.turned = True

    @workflow.query
    def round(self) -> int:
        return self.number


@workflow.defn
class Refusing:
    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("no", type="No")


class Fault:
    """What `Buggy` does, set by tests as a deployment would."""

    error: BaseException | None = None


@workflow.defn
class Buggy:
    @workflow.run
    async def run(self) -> str:
        if Fault.error is not None:
            raise Fault.error
        return "healed"


@workflow.defn
class Weird:
    """Fails with what cannot be written."""

    @workflow.run
    async def run(self) -> None:
        raise ApplicationError("half a character: \ud800", type="Weird")
