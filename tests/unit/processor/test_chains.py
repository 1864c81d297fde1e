"""Who waits for a result is told the end of the chain: of runs that go on by name, and of attempts."""

from __future__ import annotations

from streamflow.model.answers import Located, RunResult
from streamflow.model.commands import AwaitResult, Locate, UpdateWorkflow
from streamflow.model.ids import RunId
from streamflow.model.options import RetryPolicy, Status
from tests.unit.processor.asking import END, W, add, run_of
from tests.unit.processor.programs import Chain, Counter, Refusing
from tests.unit.processor.stage import Stage, payload


def test_who_waits_for_a_result_is_answered_once_at_the_end() -> None:
    stage = Stage([Counter])
    stage.begin("Counter")
    waiting = stage.send(AwaitResult(workflow_id=W))
    stage.settle()
    assert stage.answers(waiting) == []

    stage.ask(END)
    stage.settle()

    [result] = stage.answers(waiting)
    assert isinstance(result, RunResult)
    assert result.status is Status.COMPLETED
    assert len(stage.partition().waiters) == 0


def test_a_chain_of_runs_is_followed_by_name() -> None:
    """Each run's result says which follows; the last one has the workflow's."""
    stage = Stage([Chain])
    first = run_of(stage.begin("Chain", args=(payload(2),)))
    results: list[RunResult] = []
    run_id: RunId | None = first

    while run_id is not None:
        result = stage.ask(AwaitResult(workflow_id=W, run_id=run_id))
        assert isinstance(result, RunResult)
        results.append(result)
        run_id = result.new_run_id

    assert [result.status for result in results] == [
        Status.CONTINUED_AS_NEW,
        Status.CONTINUED_AS_NEW,
        Status.COMPLETED,
    ]
    assert results[-1].result == payload("end of the chain")
    latest = stage.ask(Locate(workflow_id=W))
    assert isinstance(latest, Located)
    assert latest.status is Status.COMPLETED


def test_a_failed_run_is_followed_by_the_next_attempt_after_its_wait() -> None:
    """As often as the workflow's own retry policy says."""
    stage = Stage([Refusing])
    policy = RetryPolicy(initial_interval_ms=10_000, maximum_attempts=3)
    stage.begin("Refusing", retry_policy=policy)
    assert stage.kinds().count("WorkflowFailed") == 1

    stage.pass_time(9_000)
    assert stage.kinds().count("WorkflowFailed") == 1
    stage.pass_time(1_000)
    assert stage.kinds().count("WorkflowFailed") == 2
    stage.pass_time(20_000)

    assert stage.kinds().count("WorkflowFailed") == 3
    stage.pass_time(600_000)
    assert stage.kinds().count("WorkflowStarted") == 3


def test_a_run_that_takes_too_long_times_out_and_is_retried_if_it_may_be() -> None:
    stage = Stage([Counter])
    policy = RetryPolicy(initial_interval_ms=1_000, maximum_attempts=2)
    stage.begin("Counter", run_timeout_ms=5_000, retry_policy=policy)

    stage.pass_time(5_000)
    assert stage.kinds()[-2:] == ["WorkflowTimedOut", "WorkflowStarted"]
    stage.pass_time(6_000)

    assert stage.kinds().count("WorkflowTimedOut") == 2
    assert stage.kinds().count("WorkflowStarted") == 2


def test_a_whole_chain_has_one_deadline() -> None:
    """The execution timeout spans attempts, and nothing follows it."""
    stage = Stage([Counter])
    policy = RetryPolicy(initial_interval_ms=1_000)
    stage.begin("Counter", run_timeout_ms=5_000, execution_timeout_ms=8_000, retry_policy=policy)

    stage.pass_time(60_000)

    assert stage.kinds().count("WorkflowTimedOut") == 2
    assert stage.kinds()[-1] == "WorkflowTimedOut"
    assert stage.recorded()[-1].time_ms == stage.recorded()[0].time_ms + 8_000


def test_time_does_not_go_back_for_a_run_whose_new_owner_is_behind() -> None:
    """An owner with a slower clock goes on from the run's last event."""
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.pass_time(60_000)
    stage.ask(add("a"))
    times = [recorded.time_ms for recorded in stage.recorded()]

    stage.clock._now_ms -= 20_000  # a machine whose clock is behind takes over
    stage.restart(crash=True)
    stage.ask(add("b"))

    later = [recorded.time_ms for recorded in stage.recorded()][len(times) :]
    assert later
    assert min(later) >= times[-1]


def test_an_update_does_not_end_the_wait_for_the_next_attempt() -> None:
    """Nor does one of a name that there is not: whoever asked would use the attempts up."""
    stage = Stage([Refusing])
    policy = RetryPolicy(initial_interval_ms=3_600_000, maximum_attempts=5)
    stage.begin("Refusing", retry_policy=policy)
    begun = stage.kinds().count("Activated")

    for number in range(5):
        stage.send(UpdateWorkflow(workflow_id=W, update_id=f"u{number}", update_name="none"))
        stage.settle()
    waited = stage.kinds().count("Activated")
    stage.pass_time(3_601_000)

    assert waited == begun
    assert stage.kinds().count("Activated") == begun + 1
