"""The judges of the proof on three brokers find what is planted, by its kind, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from streamflow.model.answers import ExecutionSummary
from streamflow.model.events import (
    Activated,
    ActivityCompleted,
    ActivityScheduled,
    UpdateAccepted,
    UpdateCompleted,
    WorkflowCompleted,
)
from streamflow.model.ids import Op, RunId, WorkflowId
from streamflow.model.options import ActivityTimeouts, RetryPolicy, Status
from streamflow.wire import catalog
from tests.faults.checker import Witnessed
from tests.faults.raw import Entry
from tests.reliability.cluster import feed, programs
from tests.reliability.cluster.activities import Activities, Pause
from tests.reliability.cluster.bank import Bank
from tests.reliability.cluster.blows import Blow
from tests.reliability.cluster.log_judge import LogJudge, Ward, Wrong
from tests.reliability.cluster.recovery import Steps
from tests.reliability.cluster.sheets import Sheets
from tests.reliability.cluster.told import Told
from tests.reliability.scribe import HOUR_MS, Scribe, payload, renumbered, signal, started

SECOND_NS = 1_000_000_000


def kinds(wrong: Sequence[Wrong]) -> set[str]:
    return {one.kind for one in wrong}


def judged(entries: Sequence[Entry], *wards: Ward) -> LogJudge:
    judge = LogJudge(wards)
    for entry in renumbered(entries):
        judge.take(entry)
    judge.finish()
    return judge


# -- the log ----------------------------------------------------------------------------------------------------------


def appended(*numbers: int) -> list[Entry]:
    """A sheet that has been given these, one a transaction, and has ended."""
    scribe = Scribe()
    scribe.step("sheet-0", started("Sheet", []))
    for number in numbers:
        scribe.step("sheet-0", signal("add", number))
    end = WorkflowCompleted(result=payload(list(numbers)))
    scribe.step("sheet-0", signal("close"), did=[end])
    return scribe.entries


def test_a_sound_log_has_nothing_wrong() -> None:
    assert judged(appended(1, 2, 3)).wrong == []


@pytest.mark.parametrize("place", range(1, 9))
def test_any_record_that_is_missing_is_lost(place: int) -> None:
    entries = appended(1, 2, 3)
    del entries[place]

    assert "lost" in kinds(judged(entries).wrong)


def test_a_transaction_that_is_missing_whole_is_lost() -> None:
    """Even the last of a run's: the partition counts them."""
    entries = appended(1, 2)
    del entries[3:6]

    assert "lost" in kinds(judged(entries).wrong)


@pytest.mark.parametrize("place", range(9))
def test_any_record_that_is_there_twice_is_doubled(place: int) -> None:
    entries = appended(1, 2, 3)
    entries.insert(place, entries[place])

    assert "doubled" in kinds(judged(entries).wrong)


def test_records_in_another_order_are_out_of_order() -> None:
    """As readers see them who do not go by offsets."""
    judge = LogJudge([])
    entries = appended(1, 2)
    for entry in [*entries[:3], entries[4], entries[3], *entries[5:]]:
        judge.take(entry)

    assert "order" in kinds(judge.wrong)


def test_an_event_that_names_another_predecessor_is_out_of_order() -> None:
    """A fork: the same number was given twice, and readers were shown both ways in turn."""
    one, other = appended(1, 2), appended(7, 2)
    forked = [*one[:3], other[3], *one[4:]]

    assert "order" in kinds(judged(forked).wrong)


def test_a_step_without_its_outcome_in_one_transaction_is_torn() -> None:
    entries = appended(1)
    end = next(i for i, e in enumerate(entries) if e.header.code == 13)
    position = entries[5]
    torn = [*entries[:end], position, *entries[end:]]

    assert "torn" in kinds(judged(torn).wrong)


def test_records_after_the_last_position_are_torn() -> None:
    assert kinds(judged(appended(1)[:-1]).wrong) == {"torn"}


def test_an_input_that_two_steps_consume_is_doubled() -> None:
    scribe = Scribe()
    scribe.step("sheet-0", started("Sheet", []))
    scribe.step("sheet-0", signal("add", 1))
    [again] = [e for e in scribe.entries if e.header.seq == 4]
    consumed = msgspec.structs.replace(again.header, seq=5)
    entries = [*scribe.entries, again._replace(header=consumed)]

    assert "doubled" in kinds(judged(entries).wrong)


# -- lists ------------------------------------------------------------------------------------------------------------


def told(
    what: str,
    number: int = 0,
    *,
    begun: float = 0,
    ended: float = 0,
    ok: bool = True,
    answer: object = None,
) -> Told:
    return Told(what, "sheet-0", number, int(begun * SECOND_NS), int(ended * SECOND_NS), ok, answer)


def sheets(entries: list[Entry], *calls: Told) -> set[str]:
    ward = Sheets()
    assert judged(entries, ward).wrong == []
    ward.finish(calls)
    return kinds(ward.wrong)


ONE_AND_TWO = (
    told("add", 1, begun=1, ended=2),
    told("add", 2, begun=3, ended=4),
)


def test_a_list_as_it_was_told_has_nothing_wrong() -> None:
    """What was not answered may be there or not; what was sent together stands in either order."""
    together = told("add", 3, begun=3, ended=5)
    unanswered = told("append", 4, begun=6, ended=9, ok=False)
    reads = (
        told("read", begun=2.5, ended=2.6, answer=[1]),
        told("read", begun=6, ended=7, answer=[1, 3, 2]),
    )
    ended = told("end", answer=[1, 3, 2])

    assert sheets(appended(1, 3, 2), *ONE_AND_TWO, together, unanswered, *reads, ended) == set()


def test_an_acknowledged_number_that_is_not_there_is_lost() -> None:
    assert sheets(appended(1), *ONE_AND_TWO) == {"lost"}


def test_a_number_that_stands_twice_is_doubled() -> None:
    assert sheets(appended(1, 2, 1), *ONE_AND_TWO) == {"doubled", "order"}


def test_an_unanswered_number_that_stands_twice_is_doubled() -> None:
    assert sheets(appended(1, 1), told("add", 1, begun=1, ended=2, ok=False)) == {"doubled"}


def test_a_number_that_nobody_sent_is_uncommitted() -> None:
    assert sheets(appended(1, 2, 9), *ONE_AND_TWO) == {"uncommitted"}


def test_numbers_against_real_time_are_out_of_order() -> None:
    assert sheets(appended(2, 1), *ONE_AND_TWO) == {"order"}


def test_a_read_of_what_never_was_is_uncommitted() -> None:
    """An aborted transaction that someone was shown."""
    read = told("read", begun=5, ended=6, answer=[1, 9])

    assert sheets(appended(1, 2), *ONE_AND_TWO, read) == {"uncommitted"}


def test_a_read_that_misses_what_was_acknowledged_has_lost_it() -> None:
    read = told("read", begun=5, ended=6, answer=[1])

    assert sheets(appended(1, 2), *ONE_AND_TWO, read) == {"lost"}


def test_a_place_that_was_told_otherwise_is_out_of_order() -> None:
    appends = told("append", 1, begun=1, ended=2, answer=1)

    assert sheets(appended(1), appends) == {"order"}


# -- the bank ---------------------------------------------------------------------------------------------------------

PAYMENT = next(
    n
    for n in range(100)
    if programs.planned(n).kind == "update" and programs.planned(n).amount < 400
)
PLAN = programs.planned(PAYMENT)
NAME = programs.transfer_id(PAYMENT)


def bank(
    *calls: Told,
    withdrawals: int = 1,
    deposits: int = 1,
    answer: str = programs.PAID,
    taken: int = PLAN.amount,
) -> set[str]:
    """All accounts, and one payment that was withdrawn and deposited so often."""
    scribe = Scribe()
    balances = dict.fromkeys(map(programs.account_id, range(programs.ACCOUNTS)), programs.OPENING)
    for account, opening in balances.items():
        scribe.step(account, started("Account", opening))
    for n in range(withdrawals):
        update = f"{NAME}-{n}"
        pay = UpdateAccepted(
            update_id=update, name="pay", args=tuple(map(payload, (NAME, PLAN.target, taken)))
        )
        done = UpdateCompleted(update_id=update, result=payload(answer))
        scribe.step(PLAN.source, pay, did=[done])
        balances[PLAN.source] -= taken
    for _ in range(deposits):
        scribe.step(PLAN.target, signal("deposit", NAME, PLAN.amount, False))
        balances[PLAN.target] += PLAN.amount
    for account, balance in balances.items():
        end = WorkflowCompleted(result=payload(balance))
        scribe.step(account, signal("close"), did=[end])
    ward = Bank()
    assert judged(scribe.entries, ward).wrong == []
    ward.finish(calls)
    return kinds(ward.wrong)


def paid(answer: str = programs.PAID) -> Told:
    return Told("pay", PLAN.source, PAYMENT, 0, 1, True, answer)


def test_a_payment_that_moved_once_is_sound() -> None:
    assert bank(paid()) == set()
    assert bank() == set(), "nobody need have been told"


def test_a_deposit_that_never_came_is_lost_money() -> None:
    assert bank(paid(), deposits=0) == {"lost"}


def test_a_deposit_that_came_twice_is_doubled_money() -> None:
    assert bank(paid(), deposits=2) == {"doubled"}


def test_a_withdrawal_that_happened_twice_is_doubled() -> None:
    assert "doubled" in bank(paid(), withdrawals=2)


def test_an_acknowledged_payment_that_no_account_knows_is_lost() -> None:
    assert bank(paid(), withdrawals=0, deposits=0) == {"lost"}


def test_an_answer_that_is_not_what_happened_is_uncommitted() -> None:
    assert bank(paid(programs.REFUSED)) == {"uncommitted"}
    assert bank(paid(), answer=programs.REFUSED) == {"uncommitted"}


def test_a_balance_below_nothing_is_found() -> None:
    """An account that paid out what it did not have."""
    assert bank(paid(), taken=programs.OPENING + 1) != set()


# -- activities -------------------------------------------------------------------------------------------------------


def activities(*witnesses: Witnessed, pauses: Sequence[Pause] = ()) -> set[str]:
    """One activity, whose end is at offset 4."""
    scribe = Scribe()
    asked = ActivityScheduled(
        op=Op(1),
        activity_id="1",
        activity_type="quote",
        queue="orders",
        timeouts=ActivityTimeouts(start_to_close_ms=1_000),
        retry_policy=RetryPolicy(),
    )
    scribe.step("transfer-0", started("Transfer", 0), did=[asked])
    scribe.step("transfer-0", ActivityCompleted(op=Op(1), attempt=1))
    ward = Activities()
    assert judged(scribe.entries, ward).wrong == []
    ward.finish(witnesses, pauses)
    return kinds(ward.wrong)


RAN = Witnessed("transfer-0", "transfer-0-run", "quote", 1, 77, HOUR_MS + 3)
LATE = RAN._replace(ms=HOUR_MS + 500)


def test_an_activity_may_run_again_before_its_end_is_recorded_but_not_afterwards() -> None:
    assert activities(RAN, RAN) == set()
    assert activities(RAN, LATE) == {"doubled"}


def test_a_process_that_stood_still_in_between_is_excused_and_no_other() -> None:
    pause = Pause(77, HOUR_MS - 100, HOUR_MS + 450)

    assert activities(RAN, LATE, pauses=[pause]) == set()
    assert activities(RAN, LATE, pauses=[pause._replace(pid=78)]) == {"doubled"}


def test_an_activity_that_no_history_asks_for_is_uncommitted() -> None:
    """Its task left with a transaction that was aborted."""
    assert activities(RAN, RAN._replace(run="another")) == {"uncommitted"}


def test_an_end_of_what_never_ran_is_found() -> None:
    assert activities() == {"lost"}


# -- the feed ---------------------------------------------------------------------------------------------------------


def summary(**other: object) -> ExecutionSummary:
    whole = ExecutionSummary(
        workflow_id=WorkflowId("sheet-0"),
        run_id=RunId("sheet-0-run"),
        first_run_id=RunId("first"),
        namespace="n",
        queue="orders",
        workflow_type="Sheet",
        status=Status.COMPLETED,
        started_ms=1,
        updated_ms=1,
        history_length=7,
    )
    return msgspec.structs.replace(whole, **other)


def test_the_feed_is_compared_with_the_history() -> None:
    runs = judged(appended(1)).runs
    first = summary(status=Status.RUNNING, history_length=2)

    assert feed.compared(runs, [first, summary()]) == []
    assert kinds(feed.compared(runs, [])) == {"lost"}
    assert kinds(feed.compared(runs, [summary(), first])) == {"torn"}
    phantom = summary(run_id=RunId("aborted"))
    assert kinds(feed.compared(runs, [summary(), phantom])) == {"uncommitted"}


# -- recovery ---------------------------------------------------------------------------------------------------------


def figures(*struck: Blow, calm: bool = False) -> tuple[list[float], list[float]]:
    """Of a log whose steps were committed at milliseconds 2, 5, 8, ... by ``p``."""
    steps = Steps(catalog.EVENT_CODES[Activated])
    for entry in appended(1, 2, 3):
        steps.take(entry)
    found = steps.figures(struck, calm=calm)
    return found.restarted, found.taken_over


def blow(what: str, whom: str, at: float) -> Blow:
    return Blow(what=what, whom=whom, began_ms=HOUR_MS + at, until_ms=HOUR_MS + at)


def test_a_restart_is_measured_from_the_kill_to_the_partitions_next_step() -> None:
    assert figures(blow("kill", "p", 5.5)) == ([2.5], [])
    assert figures(blow("kill", "another", 5.5)) == ([], []), "it owned nothing"
    assert figures(blow("away", "p", 5.5)) == ([], []), "nobody else took over"
    assert figures(blow("kill", "p", 5.5), blow("kill", "p", 6.5)) == ([1.5], []), "the last counts"


def test_only_what_no_other_fault_is_near_is_undisturbed() -> None:
    kill, cut = blow("kill", "p", 5.5), blow("network cut", "driver", -1_000)

    assert figures(kill, cut) == ([2.5], [])
    assert figures(kill, cut, calm=True) == ([], [])
    assert figures(kill, calm=True) == ([2.5], [])
