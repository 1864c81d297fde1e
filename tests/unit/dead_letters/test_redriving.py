"""A letter that is sent once more does what the record should have done, once."""

from __future__ import annotations

import json

import pytest

from streamflow.dead_letters import Filter, Letter, LetterId, Outcome, State, find_letters, redrive
from streamflow.memory.faults import Faults, Rates
from streamflow.ports import OutRecord, Record, Unavailable
from streamflow.topology import dead_letters_topic, inbox_topic, partition_for
from streamflow.wire.inbox import dead_letter
from tests.unit.processor.asking import add
from tests.unit.processor.programs import Charge, Counter
from tests.unit.processor.stage import NS, QUEUE, Stage

INBOX = inbox_topic(NS, QUEUE)
LETTERS = dead_letters_topic(NS)
EVERY = Filter(state=None)
SIGNAL = json.dumps({"type": "signal", "signal": "add", "args": ["x"]}).encode()


@pytest.fixture
def stage() -> Stage:
    """Signals to a workflow that is not there yet have become letters."""
    stage = Stage([Counter], partitions=4)
    stage.settle()
    stage.send(add("a"), message_id="m-a", reply=False)
    stage.send(add("b"), message_id="m-b", reply=False)
    stage.settle()
    return stage


def letters(stage: Stage, wanted: Filter = EVERY) -> list[Letter]:
    return find_letters(stage.log, NS, wanted)


def put(stage: Stage, key: bytes | None, value: bytes | None, **how: object) -> Letter:
    """A letter as the processor writes them."""
    record = Record(INBOX, 0, 900, key, value, (), 0)
    stage.broker.append(
        dead_letter(record, topic=LETTERS, stage="address", message="m", **how)  # type: ignore[arg-type]
    )
    return letters(stage)[-1]


def again(stage: Stage, chosen: list[Letter], **how: object) -> list[Outcome]:
    outcomes = redrive(stage.log, NS, chosen, **how)  # type: ignore[arg-type]  # keywords of redrive
    stage.settle()
    return outcomes


def signals(stage: Stage, workflow_id: str = "w") -> int:
    return stage.kinds(workflow_id).count("SignalReceived")


def test_redriven_signals_reach_a_workflow_that_came_later_in_their_order(stage: Stage) -> None:
    stage.begin("Counter")

    outcomes = again(stage, letters(stage))

    assert [one.refusal for one in outcomes] == ["", ""]
    home = partition_for("w", 4)
    assert {one.record.partition for one in outcomes if one.record} == {home}
    assert signals(stage) == 2
    assert [one.state for one in letters(stage)] == [State.REDRIVEN, State.REDRIVEN]


def test_a_marked_letter_is_not_sent_again_unless_that_is_asked_for(stage: Stage) -> None:
    """And then the inbox knows the message: it is recorded once."""
    stage.begin("Counter")
    again(stage, letters(stage))
    sent = len(stage.broker.records(INBOX))

    for one in again(stage, letters(stage)):
        assert "redriven" in one.refusal
    assert len(stage.broker.records(INBOX)) == sent

    assert all(one.record for one in again(stage, letters(stage), again=True))
    assert len(stage.broker.records(INBOX)) == sent + 2
    assert signals(stage) == 2


def test_a_dry_run_sends_and_marks_nothing(stage: Stage) -> None:
    before = stage.broker.digest()

    outcomes = redrive(stage.log, NS, letters(stage), dry_run=True)

    assert [one.record is not None for one in outcomes] == [True, True]
    assert stage.broker.digest() == before


def test_what_was_sent_and_not_marked_is_sent_again_and_recorded_once(stage: Stage) -> None:
    """The process ended in between, or the log's acknowledgement was lost: the letters are open still."""
    stage.begin("Counter")
    stage.broker.faults = Faults(rates=Rates(send_doubtful=1.0))
    with pytest.raises(Unavailable):
        redrive(stage.log, NS, letters(stage))
    stage.broker.faults = Faults()
    stage.settle()
    assert signals(stage) == 2
    assert [one.state for one in letters(stage)] == [State.OPEN, State.OPEN]

    again(stage, letters(stage))

    assert signals(stage) == 2
    assert [one.state for one in letters(stage)] == [State.REDRIVEN, State.REDRIVEN]


def test_a_message_without_a_name_keeps_the_place_where_it_first_arrived(stage: Stage) -> None:
    """So that a doubled re-drive of it is one message, too."""
    stage.begin("Counter")
    one = put(stage, b"w", SIGNAL)

    again(stage, [one])
    again(stage, letters(stage)[-1:], again=True)

    assert signals(stage) == 1
    names = [dict(record.headers).get("sf-message-id") for record in stage.broker.records(INBOX)]
    assert names.count(f"{INBOX}/0/900".encode()) == 2


def test_a_letter_that_fails_again_becomes_a_new_one_that_names_its_first(stage: Stage) -> None:
    """However often: it is the first that is named."""
    [first, _] = letters(stage)

    again(stage, [first])
    second = letters(stage)[-1]
    again(stage, [second])
    third = letters(stage)[-1]

    assert second.id != first.id
    assert second.first == first.id
    assert third.first == first.id
    assert third.id != second.id


def test_another_key_sends_it_to_another_workflow(stage: Stage) -> None:
    """Also where it had none; a command that names its workflow itself cannot be sent to another."""
    stage.begin("Counter", "right")
    nameless = put(stage, None, SIGNAL)
    [ours, _, *_] = letters(stage)

    [without] = again(stage, [nameless])
    [named] = again(stage, [nameless], key="right")
    [own] = again(stage, [ours], key="right")

    assert "--key WORKFLOW_ID" in without.refusal
    assert named.record is not None
    assert named.record.partition == partition_for("right", 4)
    assert signals(stage, "right") == 1
    assert "Expected the record's key to be the workflow ID 'w'" in own.refusal


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (Record(INBOX, 0, 1, b"w", None, (), 0), "with a value"),
        (Record(INBOX, 0, 1, b"w", b"not JSON", (), 0), "letter again"),
        (Record("default.q.activities", 0, 1, b"k", b"no task", (), 0), "letter again"),
        (Record("default.q.history", 0, 1, b"w", SIGNAL, (), 0), "of an inbox or of activities"),
        (Record("elsewhere.q.inbox", 0, 1, b"w", SIGNAL, (), 0), "of an inbox or of activities"),
    ],
    ids=["no value", "unreadable", "no task", "another topic", "another namespace"],
)
def test_what_would_do_harm_or_fail_again_is_refused(
    stage: Stage, record: Record, why: str
) -> None:
    stage.broker.append(dead_letter(record, topic=LETTERS, stage="engine", message="m"))
    before = stage.broker.digest()

    [outcome] = redrive(stage.log, NS, letters(stage)[-1:])

    assert why in outcome.refusal
    assert stage.broker.digest() == before


def test_a_record_that_no_letter_headers_describe_is_not_sent_anywhere(stage: Stage) -> None:
    stage.broker.append(OutRecord(LETTERS, 0, b"w", SIGNAL))

    [outcome] = redrive(stage.log, NS, letters(stage)[-1:])

    assert "no topic" in outcome.refusal


def test_a_task_goes_back_to_its_activities() -> None:
    other = Stage([Charge])
    other.begin("Charge")
    [task] = other.broker.records("default.q.activities")
    other.broker.append(dead_letter(task, topic=LETTERS, stage="VALUE_CONVERTER", message="m"))

    [keyed] = redrive(other.log, NS, letters(other), key="w")
    [sent] = redrive(other.log, NS, letters(other))

    assert "no --key" in keyed.refusal
    assert sent.record is not None
    assert [record.value for record in other.broker.records("default.q.activities")] == [
        task.value,
        task.value,
    ]


def test_a_misplaced_letter_goes_home_and_may_be_forwarded_again(stage: Stage) -> None:
    stage.begin("Counter")
    home = partition_for("w", 4)
    headers = (("sf-forwarded", f"{INBOX}/1/5".encode()),)
    record = Record(INBOX, (home + 1) % 4, 3, b"w", SIGNAL, headers, 0)
    stage.broker.append(dead_letter(record, topic=LETTERS, stage="placement", message="m"))

    [outcome] = again(stage, letters(stage)[-1:])

    assert outcome.record is not None
    assert outcome.record.partition == home
    assert dict(outcome.record.headers) == {
        "sf-redriven": str(outcome.letter.id).encode(),
        "sf-message-id": f"{INBOX}/1/5".encode(),
    }
    assert signals(stage) == 1


def test_many_letters_are_sent_in_groups_and_each_is_told(stage: Stage) -> None:
    stage.begin("Counter")
    for number in range(250):
        stage.send(add("x", f"nobody-{number}"), reply=False)
    stage.settle()
    told: list[LetterId] = []

    outcomes = redrive(
        stage.log, NS, letters(stage), told=lambda outcome: told.append(outcome.letter.id)
    )

    assert len(outcomes) == 252
    assert told == [one.letter.id for one in outcomes]
    assert all(one.state is State.REDRIVEN for one in letters(stage))


def test_a_start_is_redriven_too(stage: Stage) -> None:
    one = put(stage, b"later", json.dumps({"type": "start", "workflow": "Counter"}).encode())

    again(stage, [one])

    assert stage.kinds("later")[0] == "WorkflowStarted"
