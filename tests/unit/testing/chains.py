"""Workflows whose runs follow each other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streamflow import workflow
from streamflow.common import RetryPolicy
from streamflow.exceptions import ApplicationError


@workflow.defn
class Attempts:
    """Fails until it is tried often enough; says what it knows of its chain."""

    @workflow.run
    async def run(self, wanted: int, how: str) -> dict[str, Any]:
        info = workflow.info()
        if info.attempt < wanted:
            match how:
                case "final":
                    raise ApplicationError("no more", non_retryable=True)
                case "typed":
                    raise ApplicationError("no more", type="Final")
                case "later":
                    raise ApplicationError("later", next_retry_delay=timedelta(hours=1))
                case "slow":
                    await workflow.sleep(timedelta(days=1))
                case _:
                    raise ApplicationError(f"attempt {info.attempt}")
        failure = workflow.get_last_failure()
        return {
            "attempt": info.attempt,
            "continued": info.continued_run_id is not None,
            "first": info.first_execution_run_id,
            "last_failure": None if failure is None else str(failure),
            "now": workflow.now().isoformat(),
        }


@workflow.defn
class Tick:
    """One run of a schedule: adds up over the runs, and fails where it is told."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self, fails_at: int) -> int:
        before = (
            workflow.get_last_completion_result(int) if workflow.has_last_completion_result() else 0
        )
        assert isinstance(before, int)
        failed = workflow.get_last_failure() is not None
        assert workflow.info().cron_schedule
        if before + 1 == fails_at and not failed:
            raise ApplicationError("planned")
        if before >= 3:
            await workflow.sleep(timedelta(days=365))
        return before + 1

    @workflow.signal
    def hear(self, word: str) -> None:
        self.heard.append(word)

    @workflow.query
    def words(self) -> list[str]:
        return self.heard


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self) -> str:
        await workflow.sleep(timedelta(days=1))
        return "slept"


@workflow.defn
class Relay:
    """Continues as new with everything changed that can be, then says what it has."""

    @workflow.run
    async def run(self, left: int) -> dict[str, Any]:
        if left:
            workflow.continue_as_new(
                left - 1,
                run_timeout=timedelta(hours=2),
                task_timeout=timedelta(seconds=7),
                retry_policy=RetryPolicy(maximum_attempts=4),
                memo={"left": left - 1},
                backoff_start_interval=timedelta(minutes=10),
            )
        info = workflow.info()
        assert info.retry_policy is not None
        return {
            "run_timeout": str(info.run_timeout),
            "task_timeout": str(info.task_timeout),
            "attempts": info.retry_policy.maximum_attempts,
            "memo": dict(workflow.memo()),
            "continued": info.continued_run_id,
        }


@workflow.defn
class Other:
    @workflow.run
    async def run(self, word: str) -> str:
        return f"{word} as {workflow.info().workflow_type}"


@workflow.defn
class Turncoat:
    """Goes on as another type of workflow, given as its class's method or by name."""

    @workflow.run
    async def run(self, how: str) -> str:
        if how == "name":
            workflow.continue_as_new("named", workflow="Other")
        workflow.continue_as_new("typed", workflow=Other.run)


@workflow.defn
class Busy:
    """Continues as new from a signal handler, while another handler is at work."""

    def __init__(self) -> None:
        self.count = 0

    @workflow.run
    async def run(self, heard: int) -> int:
        self.count += heard
        await workflow.wait_condition(lambda: self.count >= 5)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return self.count

    @workflow.signal
    async def hear(self) -> None:
        self.count += 1
        await workflow.sleep(1)
        if self.count < 5:
            workflow.continue_as_new(self.count)


WORKFLOWS = [Attempts, Tick, Sleeper, Relay, Other, Turncoat, Busy]
