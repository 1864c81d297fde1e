"""Chains of runs: retried, continued as new, and by a cron schedule, with the limits of time that hold for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowContinuedAsNewError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from streamflow.common import RetryPolicy
from streamflow.exceptions import (
    ApplicationError,
    CancelledError,
    TerminatedError,
    TimeoutError,
    TimeoutType,
)
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker
from tests.unit.testing.again import replayed
from tests.unit.testing.chains import WORKFLOWS, Attempts, Busy, Relay, Sleeper, Tick, Turncoat

pytestmark = pytest.mark.asyncio

QUEUE = "chains"


@pytest_asyncio.fixture(params=[1_000, 0], ids=["cached", "replayed"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[WorkflowEnvironment]:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        worker = Worker(
            env.client,
            task_queue=QUEUE,
            workflows=WORKFLOWS,
            max_cached_workflows=request.param,
        )
        async with worker:
            yield env


async def begin(env: WorkflowEnvironment, workflow_: Any, *args: Any, **options: Any) -> Any:
    return await env.client.start_workflow(
        workflow_, args=args, id="w", task_queue=QUEUE, **options
    )


async def result(env: WorkflowEnvironment, workflow_: Any, *args: Any, **options: Any) -> Any:
    handle = await begin(env, workflow_, *args, **options)
    try:
        return await handle.result()
    finally:
        last = env.client.get_workflow_handle("w", task_queue=QUEUE)
        replayed(await last.fetch_history(), WORKFLOWS)


async def failure(
    env: WorkflowEnvironment, workflow_: Any, *args: Any, **options: Any
) -> BaseException:
    with pytest.raises(WorkflowFailureError) as error:
        await result(env, workflow_, *args, **options)
    return error.value.cause


async def status(client: Client) -> WorkflowExecutionStatus:
    return (await client.get_workflow_handle("w", task_queue=QUEUE).describe()).status


# -- retries -----------------------------------------------------------------------------------------------------------


async def test_a_failed_workflow_is_tried_again_with_backoff(env: WorkflowEnvironment) -> None:
    began = await env.get_current_time()
    policy = RetryPolicy(initial_interval=timedelta(minutes=1), backoff_coefficient=3)
    handle = await begin(env, Attempts.run, 3, "", retry_policy=policy)

    said = await handle.result()

    assert said["attempt"] == 3
    assert said["continued"]
    assert said["first"] == handle.first_execution_run_id
    assert said["last_failure"] == "attempt 2"
    waited = datetime.fromisoformat(said["now"]) - began
    assert timedelta(minutes=4) <= waited < timedelta(minutes=4, seconds=5)


async def test_a_workflow_without_a_policy_is_not_tried_again(env: WorkflowEnvironment) -> None:
    assert "attempt 1" in str(await failure(env, Attempts.run, 2, ""))


@pytest.mark.parametrize(
    ("how", "policy"),
    [
        ("", RetryPolicy(maximum_attempts=2)),
        ("final", RetryPolicy()),
        ("typed", RetryPolicy(non_retryable_error_types=["Final"])),
    ],
)
async def test_a_policy_says_when_it_is_enough(
    env: WorkflowEnvironment, how: str, policy: RetryPolicy
) -> None:
    cause = await failure(env, Attempts.run, 3, how, retry_policy=policy)

    assert isinstance(cause, ApplicationError)
    assert cause.message == ("no more" if how else "attempt 2")


async def test_a_failure_may_say_when_to_try_again(env: WorkflowEnvironment) -> None:
    began = await env.get_current_time()

    said = await result(env, Attempts.run, 2, "later", retry_policy=RetryPolicy())

    waited = datetime.fromisoformat(said["now"]) - began
    assert timedelta(hours=1) <= waited < timedelta(hours=1, seconds=5)


async def test_a_run_that_takes_too_long_is_tried_again(env: WorkflowEnvironment) -> None:
    said = await result(
        env,
        Attempts.run,
        2,
        "slow",
        retry_policy=RetryPolicy(),
        run_timeout=timedelta(hours=1),
    )

    assert (said["attempt"], said["last_failure"]) == (2, "Workflow timed out")


async def test_no_attempt_begins_after_the_chains_limit(env: WorkflowEnvironment) -> None:
    policy = RetryPolicy(initial_interval=timedelta(minutes=1), backoff_coefficient=1)

    cause = await failure(
        env,
        Attempts.run,
        100,
        "",
        retry_policy=policy,
        execution_timeout=timedelta(minutes=3, seconds=30),
    )

    assert "attempt 4" in str(cause)


async def test_whoever_does_not_follow_sees_the_first_runs_end(env: WorkflowEnvironment) -> None:
    handle = await begin(env, Attempts.run, 2, "", retry_policy=RetryPolicy())
    await handle.result()

    with pytest.raises(WorkflowFailureError) as error:
        await handle.result(follow_runs=False)
    assert "attempt 1" in str(error.value.cause)


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", ["execution_timeout", "run_timeout"])
async def test_a_limit_that_passes_ends_the_workflow(env: WorkflowEnvironment, limit: str) -> None:
    cause = await failure(env, Sleeper.run, **{limit: timedelta(hours=1)})

    assert isinstance(cause, TimeoutError)
    assert (cause.message, cause.type) == ("Workflow timed out", TimeoutType.START_TO_CLOSE)
    assert await status(env.client) is WorkflowExecutionStatus.TIMED_OUT


async def test_the_chains_limit_holds_over_continuations(env: WorkflowEnvironment) -> None:
    """Each run has less time than the one before it."""
    cause = await failure(env, Relay.run, 10, execution_timeout=timedelta(minutes=35))

    assert isinstance(cause, TimeoutError)


async def test_a_task_timeout_is_accepted_and_told(env: WorkflowEnvironment) -> None:
    handle = await begin(env, Sleeper.run, task_timeout=timedelta(seconds=3))

    [started, *_] = (await handle.fetch_history()).recorded
    assert started.event.task_timeout_ms == 3_000


# -- continuing --------------------------------------------------------------------------------------------------------


async def test_the_next_run_has_what_it_was_given(env: WorkflowEnvironment) -> None:
    began = await env.get_current_time()

    said = await result(env, Relay.run, 2)

    assert said["run_timeout"] == "2:00:00"
    assert said["task_timeout"] == "0:00:07"
    assert said["attempts"] == 4
    assert said["memo"] == {"left": 0}
    assert said["continued"]
    assert timedelta(minutes=20) <= await env.get_current_time() - began < timedelta(minutes=21)


async def test_whoever_does_not_follow_hears_of_the_next_run(env: WorkflowEnvironment) -> None:
    handle = await begin(env, Relay.run, 1)
    await handle.result()

    with pytest.raises(WorkflowContinuedAsNewError) as error:
        await handle.result(follow_runs=False)
    following = env.client.get_workflow_handle(
        "w", run_id=error.value.new_execution_run_id, task_queue=QUEUE
    )
    assert (await following.result())["continued"] == handle.first_execution_run_id


@pytest.mark.parametrize(("how", "said"), [("name", "named"), ("type", "typed")])
async def test_a_workflow_may_go_on_as_another_type(
    env: WorkflowEnvironment, how: str, said: str
) -> None:
    assert await result(env, Turncoat.run, how) == f"{said} as Other"


async def test_no_signal_is_lost_over_continuations(env: WorkflowEnvironment) -> None:
    """A handler ends its run while others are at work, and while more signals come in."""
    handle = await begin(env, Busy.run, 0)
    latest = env.client.get_workflow_handle("w", task_queue=QUEUE)

    for _ in range(5):
        await latest.signal(Busy.hear)

    assert await handle.result() == 5


# -- schedules ---------------------------------------------------------------------------------------------------------


async def runs(
    client: Client, handle: WorkflowHandle[Any, Any]
) -> list[tuple[WorkflowExecutionStatus, datetime]]:
    """Every run of the chain that has an end: how and when it began its work."""
    found: list[tuple[WorkflowExecutionStatus, datetime]] = []
    run_id = handle.first_execution_run_id
    while run_id is not None:
        one = client.get_workflow_handle("w", run_id=run_id, task_queue=QUEUE)
        described = await one.describe()
        history = await one.fetch_history()
        replayed(history, WORKFLOWS)
        assert described.execution_time is not None
        found.append((described.status, described.execution_time))
        run_id = getattr(history.recorded[-1].event, "new_run_id", None)
    return found


async def test_each_run_of_a_schedule_has_the_result_of_the_last(env: WorkflowEnvironment) -> None:
    """The first waits for its time; a failure goes to the next, and the result before it is kept."""
    handle = await begin(env, Tick.run, 2, cron_schedule="0 * * * *")

    await env.sleep(timedelta(hours=4, minutes=30))

    found = await runs(env.client, handle)
    assert [status for status, _ in found] == [
        WorkflowExecutionStatus.COMPLETED,
        WorkflowExecutionStatus.FAILED,
        WorkflowExecutionStatus.COMPLETED,
        WorkflowExecutionStatus.COMPLETED,
        WorkflowExecutionStatus.RUNNING,
    ]
    times = [time for _, time in found]
    assert all(time.minute == time.second == 0 for time in times)
    assert {after - before for before, after in pairwise(times)} == {timedelta(hours=1)}


async def test_a_single_runs_result_is_had_by_not_following(env: WorkflowEnvironment) -> None:
    handle = await begin(env, Tick.run, 0, cron_schedule="@every 1h")

    assert await handle.result(follow_runs=False) == 1


async def test_a_schedule_ends_with_its_limit(env: WorkflowEnvironment) -> None:
    """The last run's result is that of the chain."""
    limit = timedelta(minutes=25)  # counted from when the first run begins its work

    last = await result(env, Tick.run, 0, cron_schedule="@every 10m", execution_timeout=limit)

    assert last == 3


@pytest.mark.parametrize("how", ["cancel", "terminate"])
async def test_a_schedule_can_be_ended_while_it_waits(env: WorkflowEnvironment, how: str) -> None:
    handle = await begin(env, Sleeper.run, cron_schedule="CRON_TZ=Europe/Berlin 30 6 * * *")
    latest = env.client.get_workflow_handle("w", task_queue=QUEUE)

    await (latest.cancel() if how == "cancel" else latest.terminate())

    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    expected = CancelledError if how == "cancel" else TerminatedError
    assert isinstance(error.value.cause, expected)


async def test_a_signal_does_not_hurry_a_schedule(env: WorkflowEnvironment) -> None:
    await begin(env, Tick.run, 0, cron_schedule="0 0 1 1 *")
    latest = env.client.get_workflow_handle("w", task_queue=QUEUE)

    await latest.signal(Tick.hear, "soon")
    await env.sleep(timedelta(seconds=1))

    described = await latest.describe()
    assert described.status is WorkflowExecutionStatus.RUNNING
    assert described.execution_time is not None
    assert described.execution_time > await env.get_current_time()
    assert described.execution_time == described.execution_time.replace(
        month=1, day=1, hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC
    )


async def test_a_schedule_that_means_nothing_is_refused(env: WorkflowEnvironment) -> None:
    with pytest.raises(RPCError) as error:
        await begin(env, Tick.run, 0, cron_schedule="every day")

    assert error.value.status is RPCStatusCode.INVALID_ARGUMENT
    assert "Expected 5 fields" in error.value.message
