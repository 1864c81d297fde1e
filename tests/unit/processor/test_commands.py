"""What callers ask of runs, and what they are told: through a whole processor, on a log in memory."""

from __future__ import annotations

import pytest

from streamflow.model.answers import (
    Confirmed,
    Description,
    Done,
    HistoryPage,
    Located,
    QueryAnswer,
    Reason,
    Rejection,
    RunResult,
)
from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    Command,
    ConfirmTasks,
    DescribeWorkflow,
    FetchHistory,
    Locate,
    QueryWorkflow,
    SignalWorkflow,
    TerminateWorkflow,
    WaitFor,
)
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import IdConflictPolicy, IdReusePolicy, RetryPolicy, Status
from streamflow.model.payload import Payload
from streamflow.ports import OutRecord
from streamflow.topology import partition_for
from streamflow.wire.events import decode_event
from tests.unit.processor.programs import (
    Chain,
    Charge,
    Counter,
    Hello,
    Refusing,
    Sleeper,
    Turning,
)
from tests.unit.processor.stage import Stage, payload, ref, start

W = WorkflowId("w")
RUN = RunId("11111111-1111-4111-8111-111111111111")


def add(what: str, workflow_id: str = "w") -> SignalWorkflow:
    return SignalWorkflow(
        workflow_id=WorkflowId(workflow_id), signal_name="add", args=(payload(what),)
    )


END = SignalWorkflow(workflow_id=W, signal_name="end")
COUNT = QueryWorkflow(workflow_id=W, query_name="count")


def run_of(answer: object) -> RunId:
    assert isinstance(answer, Done), answer
    return answer.run_id


def refusal(answer: object) -> Reason:
    assert isinstance(answer, Rejection), answer
    return answer.reason


# -- copies -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("between", ["same batch", "later", "after a crash", "on an empty disk"])
def test_a_copy_is_answered_from_the_first_ones_outcome(between: str) -> None:
    """Whenever it comes: the run was begun once, and both callers learn of it."""
    stage = Stage([Counter])
    stage.settle()
    first = stage.send(start("Counter"), message_id="same")
    if between != "same batch":
        stage.settle()
    if between in ("after a crash", "on an empty disk"):
        stage.restart(crash=True, disk="empty" if between == "on an empty disk" else "kept")

    second = stage.send(start("Counter"), message_id="same")
    stage.settle()

    assert stage.answers(first) == stage.answers(second)
    assert len(stage.answers(first)) == 1
    assert stage.kinds().count("WorkflowStarted") == 1


def test_a_refused_start_is_refused_again_though_the_reason_is_gone() -> None:
    """A copy must not begin what the caller was told would not begin."""
    stage = Stage([Counter])
    stage.begin("Counter")
    first = stage.ask(start("Counter"), message_id="late")
    stage.ask(TerminateWorkflow(workflow_id=W))

    assert refusal(first) is Reason.ALREADY_STARTED
    assert stage.ask(start("Counter"), message_id="late") == first


def test_a_signal_sent_twice_is_received_once() -> None:
    stage = Stage([Counter])
    stage.begin("Counter")

    stage.send(add("x"), message_id="s")
    stage.send(add("x"), message_id="s")
    stage.settle()
    stage.ask(add("x"), message_id="s")

    assert stage.kinds().count("SignalReceived") == 1


def test_a_copied_start_that_waits_for_the_result_waits_on() -> None:
    """And is answered at the run's end, like the first one."""
    stage = Stage([Counter])
    stage.settle()
    request = start("Counter", wait_for=WaitFor.RESULT)
    first = stage.send(request, message_id="same")
    stage.settle()
    second = stage.send(request, message_id="same")
    stage.settle()
    assert stage.answers(first) == stage.answers(second) == []

    stage.ask(END)

    [one], [other] = stage.answers(first), stage.answers(second)
    assert one == other
    assert isinstance(one, RunResult)
    assert one.status is Status.COMPLETED


# -- starting ---------------------------------------------------------------------------------------------------------


def test_an_open_run_keeps_its_name() -> None:
    stage = Stage([Counter])
    run_id = run_of(stage.begin("Counter"))

    again = stage.begin("Counter")

    assert refusal(again) is Reason.ALREADY_STARTED
    assert isinstance(again, Rejection)
    assert again.run_id == run_id


def test_an_existing_run_can_be_used() -> None:
    stage = Stage([Counter])
    run_id = run_of(stage.begin("Counter"))

    again = stage.begin("Counter", id_conflict_policy=IdConflictPolicy.USE_EXISTING)

    assert again == Done(run_id=run_id)


def test_an_existing_run_can_be_terminated_for_a_new_one() -> None:
    """In one transaction: there is no moment without an open run."""
    stage = Stage([Counter])
    former = run_of(stage.begin("Counter"))

    follower = run_of(
        stage.begin("Counter", id_conflict_policy=IdConflictPolicy.TERMINATE_EXISTING)
    )

    assert follower != former
    result = stage.ask(AwaitResult(workflow_id=W, run_id=former))
    assert isinstance(result, RunResult)
    assert result.status is Status.TERMINATED
    assert result.new_run_id is None
    located = stage.ask(Locate(workflow_id=W))
    assert isinstance(located, Located)
    assert (located.run_id, located.status) == (follower, Status.RUNNING)


@pytest.mark.parametrize(
    ("policy", "workflow", "free"),
    [
        (IdReusePolicy.ALLOW_DUPLICATE, "Hello", True),
        (IdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, "Hello", False),
        (IdReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, "Refusing", True),
        (IdReusePolicy.REJECT_DUPLICATE, "Refusing", False),
        (IdReusePolicy.TERMINATE_IF_RUNNING, "Hello", True),
    ],
)
def test_a_closed_runs_name_is_free_where_the_policy_says_so(
    policy: IdReusePolicy, workflow: str, free: bool
) -> None:
    stage = Stage([Hello, Refusing])
    stage.begin(workflow)

    again = stage.begin(workflow, id_reuse_policy=policy)

    assert isinstance(again, Done) is free


def test_a_signal_with_start_goes_to_the_open_run() -> None:
    stage = Stage([Counter])
    run_id = run_of(stage.begin("Counter", signal_name="add", signal_args=(payload("a"),)))

    second = stage.begin("Counter", signal_name="add", signal_args=(payload("b"),))

    assert run_of(second) == run_id
    assert stage.ask(COUNT) == QueryAnswer(result=payload(2))


def test_a_delayed_start_waits_and_a_signal_ends_the_wait() -> None:
    stage = Stage([Counter, Hello])
    stage.begin("Hello", "patient", start_delay_ms=60_000)
    stage.begin("Counter", "w", start_delay_ms=60_000)
    assert stage.kinds("patient") == ["WorkflowStarted"]

    stage.ask(add("x"))
    assert "Activated" in stage.kinds("w")
    stage.pass_time(59_000)
    assert stage.kinds("patient") == ["WorkflowStarted"]

    stage.pass_time(1_000)
    assert "WorkflowCompleted" in stage.kinds("patient")


def test_what_no_record_could_hold_is_refused() -> None:
    """Neither the caller nor the run is left in the dark, and the run is not put aside for it."""
    stage = Stage([Counter])
    huge = Payload({"encoding": b"binary/plain"}, bytes(950_000))
    stage.begin("Counter")

    signal = SignalWorkflow(workflow_id=W, signal_name="add", args=(huge,))

    assert refusal(stage.ask(signal)) is Reason.LIMIT_EXCEEDED
    assert refusal(stage.begin("Counter", "large", args=(huge,))) is Reason.LIMIT_EXCEEDED
    assert isinstance(stage.ask(add("small")), Done)


# -- messages to runs that are not there ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        add("x"),
        CancelWorkflow(workflow_id=W),
        TerminateWorkflow(workflow_id=W),
        COUNT,
        DescribeWorkflow(workflow_id=W),
        AwaitResult(workflow_id=W),
        FetchHistory(workflow_id=W),
        Locate(workflow_id=W),
    ],
    ids=lambda command: type(command).__name__,
)
def test_who_asks_of_an_unknown_run_is_told(command: Command) -> None:
    stage = Stage([Counter])
    stage.settle()

    assert refusal(stage.ask(command)) is Reason.NOT_FOUND
    assert stage.dead_letters() == []


def test_a_signal_that_nobody_waits_for_becomes_a_dead_letter() -> None:
    """To a run that is not there, and to one that is closed."""
    stage = Stage([Hello])
    stage.begin("Hello")

    stage.send(add("x", "nobody"), reply=False)
    stage.send(add("x"), reply=False)
    stage.settle()

    assert [record.key for record in stage.dead_letters()] == [b"nobody", b"w"]


def test_a_closed_run_takes_no_more_messages() -> None:
    stage = Stage([Hello])
    stage.begin("Hello")

    for command in (add("x"), CancelWorkflow(workflow_id=W), TerminateWorkflow(workflow_id=W)):
        assert refusal(stage.ask(command)) is Reason.ALREADY_CLOSED


def test_a_run_is_only_found_under_its_own_workflow_id() -> None:
    """Naming somebody else's run gives nothing of it away."""
    stage = Stage([Counter])
    other = run_of(stage.begin("Counter", "other"))

    for command in (
        FetchHistory(workflow_id=W, run_id=other),
        DescribeWorkflow(workflow_id=W, run_id=other),
        SignalWorkflow(workflow_id=W, run_id=other, signal_name="add"),
    ):
        assert refusal(stage.ask(command)) is Reason.NOT_FOUND


# -- placement --------------------------------------------------------------------------------------------------------


def test_a_record_on_the_wrong_partition_is_forwarded_once() -> None:
    stage = Stage([Hello], partitions=4)
    stage.settle()
    home = partition_for("w", 4)

    answer = stage.ask(start("Hello"), partition=(home + 1) % 4)

    assert isinstance(answer, Done)
    assert stage.processor.counters.forwarded == 1
    assert stage.dead_letters() == []


def test_a_record_that_is_misplaced_again_becomes_a_dead_letter() -> None:
    """Two processors that disagree about placement would send it back and forth for ever."""
    stage = Stage([Hello], partitions=4)
    stage.settle()
    home = partition_for("w", 4)
    stage.send(start("Hello"), partition=(home + 1) % 4)
    stage.settle()
    [forwarded] = [
        record for record in stage.broker.records("default.q.inbox") if record.partition == home
    ]

    stage.broker.append(
        OutRecord(
            forwarded.topic,
            (home + 2) % 4,
            forwarded.key,
            forwarded.value,
            forwarded.headers,
        )
    )
    stage.settle()

    assert stage.processor.counters.forwarded == 1
    assert len(stage.dead_letters()) == 1


# -- reading ----------------------------------------------------------------------------------------------------------


def test_a_query_sees_every_signal_sent_before_it() -> None:
    """Also those that came in the same batch, and none that came later."""
    stage = Stage([Counter])
    stage.begin("Counter")

    stage.send(add("a"))
    stage.send(add("b"))
    query = stage.send(COUNT)
    stage.send(add("c"))
    stage.settle()

    assert stage.answers(query) == [QueryAnswer(result=payload(2))]


def test_a_query_is_answered_after_the_end_and_after_a_restart() -> None:
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.ask(add("a"))
    stage.ask(END)
    assert stage.ask(COUNT) == QueryAnswer(result=payload(1))

    stage.restart(crash=True, disk="empty")

    assert stage.ask(COUNT) == QueryAnswer(result=payload(1))


def test_a_query_of_a_workflow_finds_the_run_that_its_signals_led_to() -> None:
    """The latest run may end, and be followed, by what stands before the query in the same batch."""
    stage = Stage([Turning])
    stage.begin("Turning", args=(payload(1),))

    stage.send(SignalWorkflow(workflow_id=W, signal_name="turn"))
    query = stage.send(QueryWorkflow(workflow_id=W, query_name="round"))
    stage.settle()

    assert stage.answers(query) == [QueryAnswer(result=payload(2))]


@pytest.mark.parametrize(
    ("condition", "workflow", "rejected"),
    [
        ("none", "Hello", False),
        ("not_open", "Hello", True),
        ("not_open", "Counter", False),
        ("not_completed_cleanly", "Hello", False),
        ("not_completed_cleanly", "Refusing", True),
    ],
)
def test_a_query_may_be_for_some_states_only(condition: str, workflow: str, rejected: bool) -> None:
    stage = Stage([Hello, Counter, Refusing])
    stage.begin(workflow)
    query = QueryWorkflow(workflow_id=W, query_name="nothing", reject_condition=condition)

    reason = refusal(stage.ask(query))

    assert reason is (Reason.QUERY_REJECTED if rejected else Reason.QUERY_FAILED)


def test_reading_records_nothing() -> None:
    stage = Stage([Counter])
    stage.begin("Counter")
    before = stage.kinds()

    stage.ask(COUNT)
    stage.ask(DescribeWorkflow(workflow_id=W))
    stage.ask(Locate(workflow_id=W))

    assert stage.kinds() == before


def test_a_description_says_what_the_run_waits_for() -> None:
    stage = Stage([Sleeper, Charge])
    stage.begin("Sleeper", args=(payload(60),))
    stage.begin("Charge", "c")

    sleeping = stage.ask(DescribeWorkflow(workflow_id=W))
    charging = stage.ask(DescribeWorkflow(workflow_id=WorkflowId("c")))

    assert isinstance(sleeping, Description)
    assert isinstance(charging, Description)
    assert [timer.fire_at_ms for timer in sleeping.pending_timers] == [
        stage.clock.now_ms() + 60_000
    ]
    assert [(a.activity_type, a.state) for a in charging.pending_activities] == [
        ("charge", "scheduled")
    ]


def test_a_history_is_read_in_pages() -> None:
    """Each as large as asked for, until there is no more."""
    stage = Stage([Counter])
    stage.begin("Counter")
    for number in range(8):
        stage.ask(add(str(number)))
    pages: list[HistoryPage] = []
    after = 0

    while not pages or pages[-1].more:
        page = stage.ask(FetchHistory(workflow_id=W, after_seq=after, bytes_max=600))
        assert isinstance(page, HistoryPage)
        pages.append(page)
        after = page.next_after_seq

    assert len(pages) > 2
    read = [decode_event(value) for page in pages for _, value in page.records]
    assert read == stage.recorded()


def test_a_page_covers_what_was_said_before_it_in_the_same_batch() -> None:
    stage = Stage([Counter])
    stage.begin("Counter")
    stage.send(add("x"))
    asked = stage.send(FetchHistory(workflow_id=W))
    stage.settle()

    [page] = stage.answers(asked)

    assert isinstance(page, HistoryPage)
    assert len(page.records) == len(stage.recorded())


def test_a_worker_learns_which_tasks_are_still_pending() -> None:
    stage = Stage([Charge])
    stage.begin("Charge", "a")
    stage.begin("Charge", "b")
    first, second = stage.tasks()
    stage.report(first)

    asked = ConfirmTasks(
        workflow_id=first.workflow_id,
        tasks=((first.workflow_id, ref(first)), (second.workflow_id, ref(second))),
    )

    assert stage.ask(asked) == Confirmed(pending=(False, True))


# -- results and chains -----------------------------------------------------------------------------------------------


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
