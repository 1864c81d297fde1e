"""What a letter's headers tell, and which letters are found."""

from __future__ import annotations

import pytest

from streamflow.dead_letters import (
    Filter,
    Letter,
    LetterId,
    LetterMissing,
    Reason,
    State,
    advice,
    closed_below,
    discard,
    find_letters,
    read_as,
    read_letter,
    redrive,
)
from streamflow.dead_letters.letters import parse_letter
from streamflow.dead_letters.marks import Mark, mark_record
from streamflow.memory.log import MemoryLog
from streamflow.ports import OutRecord, Record, TopicMissing, TopicPartition
from streamflow.topology import dead_letters_topic
from streamflow.wire import bounds
from streamflow.wire.inbox import dead_letter
from tests.unit.processor.asking import add
from tests.unit.processor.programs import Counter
from tests.unit.processor.stage import NS, QUEUE, Stage, start

LETTERS = dead_letters_topic(NS)


def letter(
    offset: int = 7,
    *,
    key: bytes | None = b"w",
    value: bytes | None = b"{}",
    headers: tuple[tuple[str, bytes], ...] = (),
    topic: str = f"{NS}.{QUEUE}.inbox",
    stage: str = "address",
    message: str = "Expected a workflow, found none",
) -> OutRecord:
    record = Record(topic, 0, offset, key, value, headers, 0)
    return dead_letter(record, topic=LETTERS, stage=stage, message=message)


@pytest.fixture
def stage() -> Stage:
    stage = Stage([Counter])
    stage.settle()
    return stage


def found(stage: Stage, wanted: Filter | None = None) -> list[Letter]:
    return find_letters(stage.log, NS, wanted or Filter(state=None))


def test_a_letter_says_where_it_came_from_and_why(stage: Stage) -> None:
    stage.send(add("x", "nobody"), reply=False)
    stage.settle()

    [one] = found(stage)

    assert (one.topic, one.partition, one.offset) == (f"{NS}.{QUEUE}.inbox", 0, 0)
    assert one.reason is Reason.ADDRESS
    assert one.workflow_id == "nobody"
    assert one.state is State.OPEN
    assert "nobody" in one.message
    name, fields = read_as(*read_letter(stage.log, NS, one.id)) or ("", {})
    assert (name, fields["signal_name"], fields["workflow_id"]) == (
        "SignalWorkflow",
        "add",
        "nobody",
    )


@pytest.mark.parametrize(
    ("stage_name", "reason"),
    [
        ("KEY_CONVERTER", Reason.UNREADABLE),
        ("VALUE_CONVERTER", Reason.UNREADABLE),
        ("HEADER_CONVERTER", Reason.UNREADABLE),
        ("placement", Reason.PLACEMENT),
        ("engine", Reason.ENGINE),
        ("TRANSFORMATION", Reason.OTHER),
    ],
)
def test_every_stage_is_a_reason_with_advice(stage: Stage, stage_name: str, reason: Reason) -> None:
    stage.broker.append(letter(stage=stage_name))

    [one] = found(stage)

    assert one.reason is reason
    assert len(advice(one)) > 20


def test_letters_of_kafka_streams_are_read_too() -> None:
    """Those of another tool's names, and a record that has none: nothing is known of it but what it is."""
    headers = (
        ("__streams.errors.topic", b"default.q.inbox"),
        ("__streams.errors.partition", b"3"),
        ("__streams.errors.offset", b"12"),
        ("__streams.errors.message", b"no such field"),
    )
    told = parse_letter(Record(LETTERS, 0, 0, b"w", b"{}", headers, 0))
    nothing = parse_letter(Record(LETTERS, 0, 1, b"\xff", None, (), 0))

    assert (told.source, told.message) == ("default.q.inbox/3/12", "no such field")
    assert (nothing.source, nothing.workflow_id, nothing.has_value) == ("", "", False)
    assert nothing.reason is Reason.OTHER


def test_filters_narrow_by_reason_text_queue_workflow_and_time(stage: Stage) -> None:
    stage.broker.append(letter(stage="VALUE_CONVERTER", message="Expected JSON"))
    stage.broker.append(letter(topic="default.other.inbox", key=b"v"))
    stage.clock.advance(60_000)
    later_ms = stage.clock.now_ms()
    stage.broker.append(
        letter(topic="default.q.activities", key=b'["a-workflow","7"]', message="late")
    )

    def offsets(**wanted: object) -> list[int]:
        return [one.id.offset for one in found(stage, Filter(**wanted))]  # type: ignore[arg-type]  # fields of Filter

    assert offsets() == [0, 1, 2]
    assert offsets(reason=Reason.UNREADABLE) == [0]
    assert offsets(text="expected json") == [0]
    assert offsets(queue="q") == [0, 2]
    assert offsets(workflow_id="v") == [1]
    assert offsets(workflow_id="a-workflow") == [2]
    assert offsets(since_ms=later_ms) == [2]


def test_the_last_mark_counts_and_retention_may_take_what_lies_before_open_letters(
    stage: Stage,
) -> None:
    for offset in range(3):
        stage.broker.append(letter(offset))
    [first, second, _] = found(stage)

    assert discard(stage.log, NS, [first]) == [first]
    assert closed_below(stage.log, NS) == {TopicPartition(LETTERS, 0): 1}
    stage.broker.append(mark_record(LETTERS, Mark(second.id, State.DISCARDED)))
    stage.broker.append(mark_record(LETTERS, Mark(second.id, State.REDRIVEN)))

    assert [one.state for one in found(stage)] == [
        State.DISCARDED,
        State.REDRIVEN,
        State.OPEN,
    ]
    assert [one.id.offset for one in found(stage, Filter())] == [2]
    assert closed_below(stage.log, NS) == {TopicPartition(LETTERS, 0): 2}
    assert discard(stage.log, NS, [found(stage)[0]]) == []


def test_no_sender_can_mark_a_letter(stage: Stage) -> None:
    """A record with a mark's header and key becomes a letter of its own when it cannot be taken."""
    stage.broker.append(letter())
    stage.broker.append(letter(key=b"0/0", headers=(("sf-letter", b"discarded"),)))

    assert [one.state for one in found(stage)] == [State.OPEN, State.OPEN]


def test_what_is_no_letter_is_not_found(stage: Stage) -> None:
    stage.broker.append(letter())
    discard(stage.log, NS, found(stage))

    for wrong in (LetterId(0, 1), LetterId(0, 99), LetterId(7, 0)):
        with pytest.raises(LetterMissing, match=str(wrong)):
            read_letter(stage.log, NS, wrong)
    with pytest.raises(TopicMissing, match="streamflow namespace create nowhere"):
        find_letters(MemoryLog(stage.broker, "p"), "nowhere", Filter())
    for text in ("", "7", "0/", "a/1", "0/-1", "0/1/2"):
        with pytest.raises(ValueError, match="0/17"):
            LetterId.parse(text)


def test_of_a_large_record_only_the_beginning_is_kept_and_said_so(stage: Stage) -> None:
    stage.broker.alter_topics({LETTERS: {"max.message.bytes": "2000000"}})
    stage.broker.append(letter(value=b"x" * (bounds.KEPT_VALUE_BYTES_MAX + 1)))

    [one] = found(stage)

    assert one.whole_bytes == bounds.KEPT_VALUE_BYTES_MAX + 2
    assert "smaller" in advice(one)
    [outcome] = redrive(stage.log, NS, [one])
    assert "smaller" in outcome.refusal
    assert found(stage)[0].state is State.OPEN


def test_starting_after_a_letter_is_ordinary(stage: Stage) -> None:
    """Letters and marks do not disturb the queue that they came from."""
    stage.broker.append(letter())
    discard(stage.log, NS, found(stage))

    stage.ask(start("Counter"))

    assert stage.kinds()[0] == "WorkflowStarted"
