"""Quotas of a queue: which starts are refused, what counts, and that a refusal stays one."""

from __future__ import annotations

import pytest

from streamflow import workflow
from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.commands import (
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    UpdateWithStart,
    UpdateWorkflow,
)
from streamflow.model.control import ResetWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdConflictPolicy
from streamflow.model.settings import NamespaceEntry, Quota
from streamflow.processor.host.quotas import LOOK_MS
from streamflow.processor.steps.answering import QUOTA_REFUSAL_MS
from streamflow.processor.turns.inbound import FORGET_EVERY_MS
from streamflow.topology import write_namespace
from tests.unit.processor.asking import refusal
from tests.unit.processor.programs import Counter, Hello, Turning
from tests.unit.processor.stage import NS, QUEUE, Stage, payload, start


def _set(stage: Stage, **quota: object) -> None:
    """Declares quotas, and lets the processor notice."""
    entry = NamespaceEntry(name=NS, **quota)  # type: ignore[arg-type]  # as the caller says
    write_namespace(MemoryLog(stage.broker, "operator"), entry)
    stage.pass_time(LOOK_MS)


def _end(stage: Stage, workflow_id: str) -> None:
    stage.ask(SignalWorkflow(workflow_id=WorkflowId(workflow_id), signal_name="end"))


def test_no_more_workflows_are_open_than_the_quota_says() -> None:
    """The refusal names the quota, its value, what was found, and the command that changes it; an end makes room."""
    stage = Stage([Counter])
    _set(stage, open_workflows_max=2)
    assert [type(stage.begin("Counter", name)) for name in ("a", "b")] == [Done, Done]

    refused = stage.begin("Counter", "c")

    assert isinstance(refused, Rejection)
    assert refused.reason is Reason.QUOTA_EXCEEDED
    for word in ("open_workflows_max", "at most 2", "found 2", "streamflow namespace update"):
        assert word in refused.message
    assert stage.processor.counters.starts_refused == 1
    _end(stage, "a")
    assert isinstance(stage.begin("Counter", "c"), Done)


def test_each_partition_enforces_its_share_rounded_up() -> None:
    """Three of two partitions are two each."""
    stage = Stage([Counter], partitions=2)
    _set(stage, open_workflows_max=3)

    answers = [stage.begin("Counter", f"w{n}") for n in range(12)]

    assert sum(isinstance(answer, Done) for answer in answers) == 4
    assert [stage.partition(n).open_runs for n in (0, 1)] == [2, 2]


def test_ends_of_the_same_batch_make_room() -> None:
    """Whatever a turn brings together, what ended before the start is not counted."""
    stage = Stage([Counter, Hello])
    _set(stage, open_workflows_max=1)
    stage.begin("Counter", "a")

    stage.send(TerminateWorkflow(workflow_id=WorkflowId("a")))
    after = [stage.send(start("Hello", name)) for name in ("b", "c")]
    stage.settle()

    assert [type(stage.answers(request)[0]) for request in after] == [Done, Done]


def test_a_start_that_ends_the_open_run_takes_its_place() -> None:
    """TERMINATE_EXISTING leaves as many open as before."""
    stage = Stage([Counter])
    _set(stage, open_workflows_max=1)
    stage.begin("Counter", "a")

    again = stage.begin("Counter", "a", id_conflict_policy=IdConflictPolicy.TERMINATE_EXISTING)

    assert isinstance(again, Done)
    assert again.started


def test_a_copy_of_a_refused_start_is_refused_though_there_is_room() -> None:
    """Also after a takeover with an empty disk: its sender was told that it would not begin."""
    stage = Stage([Counter])
    _set(stage, open_workflows_max=0)
    assert refusal(stage.ask(start("Counter"), message_id="same")) is Reason.QUOTA_EXCEEDED
    _set(stage, open_workflows_max=5)
    stage.restart(crash=True, disk="empty")

    assert refusal(stage.ask(start("Counter"), message_id="same")) is Reason.QUOTA_EXCEEDED
    assert isinstance(stage.begin("Counter", "other"), Done)


def test_a_message_that_is_sent_again_minutes_later_is_decided_anew() -> None:
    """Who names messages, and uses a name again, wants what was refused."""
    stage = Stage([Counter])
    _set(stage, open_workflows_max=0)
    assert refusal(stage.ask(start("Counter"), message_id="same")) is Reason.QUOTA_EXCEEDED
    _set(stage, open_workflows_max=5)

    stage.pass_time(QUOTA_REFUSAL_MS + FORGET_EVERY_MS)

    assert isinstance(stage.ask(start("Counter"), message_id="same"), Done)


def test_a_start_that_nobody_awaits_becomes_a_letter_and_begins_when_it_is_sent_again() -> None:
    """It is not remembered as refused."""
    stage = Stage([Counter])
    _set(stage, open_workflows_max=0)
    stage.send(start("Counter"), message_id="same", reply=False)
    stage.settle()
    [letter] = stage.dead_letters()
    assert b"quota" in dict(letter.headers).values()

    _set(stage)
    stage.send(start("Counter"), message_id="same", reply=False)
    stage.settle()

    assert stage.kinds().count("WorkflowStarted") == 1


def test_an_update_with_start_is_refused_likewise() -> None:
    """And one of an open workflow is not."""
    stage = Stage([Counter])
    stage.begin("Counter", "open")
    _set(stage, open_workflows_max=1)

    def asked(workflow_id: str) -> UpdateWithStart:
        name = WorkflowId(workflow_id)
        return UpdateWithStart(
            workflow_id=name,
            start=StartWorkflow(
                workflow_id=name,
                workflow_type="Counter",
                id_conflict_policy=IdConflictPolicy.USE_EXISTING,
            ),
            update=UpdateWorkflow(workflow_id=name, update_id="u", update_name="nothing"),
        )

    assert refusal(stage.ask(asked("new"))) is Reason.QUOTA_EXCEEDED
    assert not isinstance(stage.ask(asked("open")), Rejection)


@workflow.defn
class Family:
    """Has a child when it is told to."""

    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.told)
        return await workflow.execute_child_workflow(Hello.run, "child", id="child")

    @workflow.signal
    def go(self) -> None:
        self.told = True


def test_children_and_continued_runs_are_not_refused_and_count() -> None:
    """A quota breaks off nothing that runs: what it holds back is what comes from outside."""
    stage = Stage([Family, Turning, Hello])
    stage.begin("Family", "family")
    stage.begin("Turning", "turning", args=(payload(0),))
    _set(stage, open_workflows_max=2, starts_per_second=0.01)
    stage.pass_time(120_000)

    for name, signal in (("family", "go"), ("turning", "turn")):
        stage.ask(SignalWorkflow(workflow_id=WorkflowId(name), signal_name=signal))

    assert stage.kinds("family")[-1] == "WorkflowCompleted"
    assert stage.kinds("turning").count("WorkflowStarted") == 2
    assert stage.partition().open_runs == 1
    refused = stage.begin("Hello", "outside")
    assert isinstance(refused, Rejection)
    assert "starts_per_second" in refused.message


@pytest.mark.parametrize("disk", ["kept", "empty"])
def test_the_count_survives_a_crash(disk: str) -> None:
    """Runs that began and ended: the count is what looking at every run finds."""
    stage = Stage([Counter, Hello])
    for name in ("a", "b", "c"):
        stage.begin("Counter", name)
        stage.begin("Hello", f"h{name}")
    _end(stage, "b")
    assert stage.partition().meta.open_runs == stage.rows().count_open() == 2

    stage.restart(crash=True, disk=disk)

    assert stage.partition().meta.open_runs == stage.rows().count_open() == 2


def test_the_count_follows_resets_and_retention() -> None:
    """A reset run is ended and another begins; a run whose retention is over was counted out when it ended."""
    stage = Stage([Counter, Hello])
    for name in ("a", "b"):
        stage.begin("Counter", name)
    stage.begin("Hello", "c")
    reset = ResetWorkflow(workflow_id=WorkflowId("a"), event_id=2)
    assert isinstance(stage.ask(reset), Done)
    assert stage.partition().meta.open_runs == stage.rows().count_open() == 2

    stage.pass_time(DEFAULT_LIMITS.retention_ms + 60_000)

    assert len(stage.rows().runs(limit=10)) == 2
    assert stage.partition().meta.open_runs == stage.rows().count_open() == 2


def test_a_store_of_an_older_release_is_counted_once() -> None:
    """Such a store does not say how many are open."""
    stage = Stage([Counter])
    for name in ("a", "b"):
        stage.begin("Counter", name)
    stage.partition().meta.open_runs = -1
    stage.begin("Counter", "c")
    assert stage.partition().meta.open_runs == -1
    _set(stage, open_workflows_max=3)

    assert refusal(stage.begin("Counter", "d")) is Reason.QUOTA_EXCEEDED
    assert stage.partition().meta.open_runs == 3


def test_no_more_begin_in_a_second_than_the_quota_says() -> None:
    """Room comes with time, at most a second's worth; a takeover begins with a full allowance."""
    stage = Stage([Hello])
    _set(stage, starts_per_second=2.0)

    def begun() -> int:
        requests = [stage.send(start("Hello", f"w{stage.clock.now_ms()}-{n}")) for n in range(5)]
        stage.settle()
        return sum(isinstance(stage.answers(request)[0], Done) for request in requests)

    assert begun() == 2
    assert begun() == 0
    stage.pass_time(500)
    assert begun() == 1
    stage.pass_time(60_000)
    assert begun() == 2
    stage.restart(crash=True)
    assert begun() == 2


def test_a_rate_below_one_start_a_second_lets_one_begin_now_and_then() -> None:
    """The share of a rate is not rounded: one start in ten seconds."""
    stage = Stage([Hello])
    _set(stage, starts_per_second=0.1)

    assert isinstance(stage.begin("Hello", "a"), Done)
    assert refusal(stage.begin("Hello", "b")) is Reason.QUOTA_EXCEEDED
    stage.pass_time(10_000)
    assert isinstance(stage.begin("Hello", "c"), Done)


def test_a_queue_has_its_own_figures() -> None:
    """What they leave out is as the namespace says, and the refusal names the queue in its command."""
    stage = Stage([Counter])
    _set(stage, open_workflows_max=0, queue_quotas={QUEUE: Quota(open_workflows_max=1)})
    assert isinstance(stage.begin("Counter", "a"), Done)

    refused = stage.begin("Counter", "b")

    assert isinstance(refused, Rejection)
    assert (
        f"streamflow namespace update {NS} --queue {QUEUE} --open-workflows-max" in refused.message
    )
