"""What can be read of runs: queries, descriptions, histories, and which of their tasks are pending."""

from __future__ import annotations

import pytest

from streamflow.model.answers import Confirmed, Description, HistoryPage, QueryAnswer, Reason
from streamflow.model.commands import (
    ConfirmTasks,
    DescribeWorkflow,
    FetchHistory,
    Locate,
    QueryWorkflow,
    SignalWorkflow,
)
from streamflow.model.ids import WorkflowId
from streamflow.wire.events import decode_event
from tests.unit.processor.asking import COUNT, END, W, add, refusal
from tests.unit.processor.programs import Charge, Counter, Hello, Refusing, Sleeper, Turning
from tests.unit.processor.stage import Stage, payload, ref


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
