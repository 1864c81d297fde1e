"""The quick look finds what keeps a queue from being worked on, or worked on safely."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamflow import topology
from streamflow.doctor import Finding, Severity, examine
from streamflow.doctor.clock import clock_findings
from streamflow.doctor.examining import broker_findings
from streamflow.doctor.machine import folder_findings, library_findings
from streamflow.doctor.positions import TAIL, last_position, position_findings
from streamflow.memory.log import MemoryLog
from streamflow.ports import BrokerState, Clock, Committed, OutRecord, TopicPartition
from streamflow.topology import history_topic, inbox_topic, processor_group, read_queues
from streamflow.wire.offset_note import note
from tests.unit.processor.asking import add
from tests.unit.processor.programs import Counter
from tests.unit.processor.stage import NS, QUEUE, Stage

HISTORY = TopicPartition(history_topic(NS, QUEUE), 0)
INBOX = TopicPartition(inbox_topic(NS, QUEUE), 0)


@pytest.fixture
def stage() -> Stage:
    stage = Stage([Counter])
    stage.begin("Counter")
    return stage


class SkewedLog(MemoryLog):
    """A process whose clock is wrong."""

    ahead_ms = 0

    @property
    def clock(self) -> Clock:
        return Skewed(self.broker.clock, self.ahead_ms)


class Skewed:
    def __init__(self, clock: Clock, ahead_ms: int) -> None:
        self._clock = clock
        self._ahead_ms = ahead_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() + self._ahead_ms

    def monotonic_ms(self) -> int:
        return self._clock.monotonic_ms()


def problems(findings: list[Finding]) -> list[Finding]:
    return [one for one in findings if one.severity is Severity.PROBLEM]


def positions(stage: Stage) -> list[Finding]:
    return position_findings(stage.log, NS, read_queues(stage.log, NS)[QUEUE])


def test_a_queue_at_work_has_no_problem(stage: Stage, tmp_path: Path) -> None:
    findings = examine(stage.log, NS, state_dir=tmp_path)

    assert problems(findings) == []
    assert f"queue {QUEUE}" in {one.subject for one in findings}


def test_a_queue_that_is_not_there_is_said_with_its_command(stage: Stage) -> None:
    with pytest.raises(topology.QueueMissing, match="streamflow topology apply --queue other"):
        examine(stage.log, NS, ["other"])
    [none] = [one for one in examine(stage.log, "empty") if one.subject == "namespace empty"]
    assert "topology apply" in none.command


def test_topics_that_are_missing_or_changed_are_found(stage: Stage) -> None:
    stage.broker.alter_topics({HISTORY.topic: {"cleanup.policy": "delete"}})
    stage.broker.alter_topics({INBOX.topic: {"compression.type": "gzip"}})
    stage.broker.delete_topics(["default.executions"])

    findings = examine(stage.log, NS)

    wrong = {one.subject: one for one in findings if one.severity is not Severity.OK}
    assert wrong[HISTORY.topic].severity is Severity.PROBLEM
    assert "kafka-configs.sh" in wrong[HISTORY.topic].command
    assert wrong["default.executions"].severity is Severity.PROBLEM
    assert "topology apply" in wrong["default.executions"].command
    assert wrong[INBOX.topic].severity is Severity.NOTE
    assert "compression.type" in wrong[INBOX.topic].message


def test_brokers_are_told_of_one_by_one() -> None:
    good = BrokerState(id=1, address="a:1", config={"log.cleaner.enable": "true"})
    silent = BrokerState(id=2, address="b:1")
    old = BrokerState(id=3, address="c:1", config={"inter.broker.protocol.version": "3.9"})

    findings = broker_findings([good, silent, old], dev=False)

    assert {one.subject: one.severity for one in findings} == {
        "broker 1 (a:1)": Severity.OK,
        "broker 2 (b:1)": Severity.NOTE,
        "broker 3 (c:1)": Severity.PROBLEM,
    }
    assert [one.subject for one in problems(broker_findings([good], dev=False))] == ["brokers"]
    assert problems(broker_findings([good], dev=True)) == []


def test_the_last_position_is_found_behind_whatever_follows_it(stage: Stage) -> None:
    reader = stage.log.reader()
    before = last_position(reader, HISTORY)
    assert before is not None
    for number in range(3 * TAIL):
        stage.broker.append(OutRecord(HISTORY.topic, 0, b"%d" % number, b"not ours"))

    assert last_position(reader, HISTORY) == before


def test_input_that_nobody_reads_is_a_problem_when_nobody_is_alive(stage: Stage) -> None:
    stage.processor.close()
    [quiet] = positions(stage)
    stage.send(add("x"), reply=False)

    [waiting] = problems(positions(stage))

    assert quiet.severity is Severity.NOTE
    assert "found none alive" in waiting.message


@pytest.mark.parametrize(
    ("committed", "said", "severity"),
    [
        (Committed(1, note(1_000, "p", ())), "lost acknowledged records", Severity.PROBLEM),
        (Committed(1, "by hand"), "somebody else has set it", Severity.NOTE),
        (None, "is gone", Severity.NOTE),
    ],
    ids=["torn", "foreign", "gone"],
)
def test_offsets_are_held_against_the_historys_own_record(
    stage: Stage, committed: Committed | None, said: str, severity: Severity
) -> None:
    stage.processor.close()
    decided = stage.broker.group(processor_group(NS, QUEUE)).positions
    decided.forget_topics({INBOX.topic})
    if committed is not None:
        decided.commit({INBOX: committed})

    [found] = [one for one in positions(stage) if one.subject == f"{INBOX.topic}/0"]

    assert said in found.message
    assert found.severity is severity


def test_an_inbox_that_ends_before_or_begins_behind_the_position_is_found(stage: Stage) -> None:
    for number in range(3):
        stage.ask(add(str(number)))
    stage.processor.close()
    stage.send(add("unread"), reply=False)
    end = stage.log.reader().end_offset(INBOX)

    stage.broker.truncate(INBOX, end)
    assert any("retention has left" in one.message for one in problems(positions(stage)))

    stage.broker.delete_topics([INBOX.topic])
    stage.broker.create_topic(
        next(
            spec
            for spec in topology.declare(
                NS, [topology.Queue(name=QUEUE, partitions=1)], dev=True
            ).topics
            if spec.name == INBOX.topic
        )
    )
    assert any("made anew" in one.message for one in problems(positions(stage)))


@pytest.mark.parametrize(
    ("ahead_ms", "severity"),
    [(0, Severity.OK), (5_000, Severity.NOTE), (-60_000, Severity.PROBLEM)],
)
def test_the_clock_is_held_against_the_logs(
    stage: Stage, ahead_ms: int, severity: Severity
) -> None:
    """By a record that whoever listens for answers passes over."""

    log = SkewedLog(stage.broker, "doctor")
    log.ahead_ms = ahead_ms

    [found] = clock_findings(log, NS)

    assert found.severity is severity


def test_a_folder_that_cannot_be_written_or_is_full_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [good] = folder_findings(tmp_path / "not" / "yet" / "there")
    monkeypatch.setattr("streamflow.doctor.machine.FREE_BYTES_MIN", 1 << 60)
    [full] = folder_findings(tmp_path)

    assert good.severity is Severity.OK
    assert full.severity is Severity.PROBLEM
    [nowhere] = folder_findings(Path("/proc/1/streamflow"))
    assert nowhere.severity is Severity.PROBLEM


def test_libraries_are_held_against_what_this_release_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert problems(library_findings()) == []
    monkeypatch.setattr("streamflow.doctor.machine.metadata.version", lambda name: "0.0.1")

    outdated = problems(library_findings())

    assert {"confluent-kafka", "fastavro"} <= {one.subject for one in outdated}
    assert all("pip install" in one.command for one in outdated)
