"""Steps that end the process, on machines without a disk of their own: the log remembers, and the run is quarantined."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow.model.answers import Description, Done
from streamflow.model.commands import AwaitResult, DescribeWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdConflictPolicy
from streamflow.model.tasks import PositionRecord
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.caution import CALM_COMMITS, CAREFUL_FROM, TOGETHER_MAX
from streamflow.processor.steps import activate
from streamflow.wire.entities import decode_position
from streamflow.wire.keys import EntityKind
from tests.unit.processor.programs import Counter, Hello
from tests.unit.processor.stage import Stage, start

QUARANTINE_AFTER = 3
DEATHS_MAX = CAREFUL_FROM + QUARANTINE_AFTER


class Ended(BaseException):
    """Stands for the end of the process: nothing catches it."""


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Workflows whose steps end the process."""
    names: set[str] = set()

    @contextlib.contextmanager
    def watched(around: Surroundings, run_id: str, suspect: str) -> Iterator[None]:
        if suspect in names:
            raise Ended
        yield

    monkeypatch.setattr(activate, "_watched", watched)
    return names


def lives(stage: Stage) -> bool:
    """Whether the process comes to rest; else it has ended, and comes back on an empty disk."""
    try:
        stage.settle()
    except Ended:
        stage.log.crash()
        stage.stores.crash()
        stage.stores = type(stage.stores)()
        stage.start()
        return False
    return True


def deaths(stage: Stage) -> int:
    """How often it ends before it comes to rest."""
    for count in range(2 * DEATHS_MAX):
        if lives(stage):
            return count
    raise AssertionError("it ends for ever")


def trouble_of(stage: Stage, workflow_id: str) -> str:
    answer = stage.ask(DescribeWorkflow(workflow_id=WorkflowId(workflow_id)))
    assert isinstance(answer, Description), answer
    return answer.trouble.kind if answer.trouble else ""


@pytest.mark.parametrize("first", [True, False], ids=["first step", "later step"])
def test_a_run_whose_step_ends_the_process_is_quarantined_without_a_disk(
    deadly: set[str], first: bool
) -> None:
    """After two ends that tell nothing and three that name it; the others around it all end meanwhile."""
    stage = Stage([Hello, Counter])
    stage.settle()
    if not first:
        stage.begin("Counter", "bad")
    deadly.add("bad")
    before = [stage.send(start("Hello", f"a{n}")) for n in range(20)]
    stage.send(
        start("Counter", "bad", signal_name="add", id_conflict_policy=IdConflictPolicy.USE_EXISTING)
    )
    after = [stage.send(start("Hello", f"b{n}")) for n in range(20)]

    assert deaths(stage) == DEATHS_MAX

    assert all(isinstance(stage.answers(request)[-1], Done) for request in before + after)
    assert trouble_of(stage, "bad") == "quarantined"


def test_a_quarantine_outlives_further_restarts_on_empty_disks(deadly: set[str]) -> None:
    """It is in the log, with the code that it speaks of."""
    stage = Stage([Counter])
    stage.settle()
    deadly.add("bad")
    stage.send(start("Counter", "bad"))
    assert deaths(stage) == DEATHS_MAX

    stage.restart(disk="empty")
    stage.restart(crash=True, disk="empty")

    assert trouble_of(stage, "bad") == "quarantined"


def test_a_step_that_ends_well_absolves(deadly: set[str]) -> None:
    """The machine was at fault, say: then nothing is held against the run."""
    stage = Stage([Counter])
    stage.settle()
    deadly.add("bad")
    request = stage.send(start("Counter", "bad"))
    for _ in range(DEATHS_MAX - 1):
        assert not lives(stage)

    deadly.clear()
    assert lives(stage)

    assert isinstance(stage.answers(request)[0], Done)
    stage.begin("Counter", "other")
    assert positions(stage)[-1].suspects == {}


def test_owners_that_live_for_a_while_are_not_counted() -> None:
    """Machines are lost now and then: nobody becomes careful for that."""
    stage = Stage([Hello])
    stage.settle()
    for number in range(4):
        stage.restart(crash=True, disk="empty")
        for other in range(CALM_COMMITS + 1):
            stage.begin("Hello", f"w{number}-{other}")

    assert max(position.takeovers for position in positions(stage)) == 1
    assert positions(stage)[-1].takeovers == 0
    assert all(position.stepping == "" for position in positions(stage))


def test_a_disk_that_knows_better_makes_nobody_careful(tmp_path: Path) -> None:
    """A process that is killed again and again stands still no longer than it must: its own file says that no step did it."""
    stage = Stage([Hello], state_folder=str(tmp_path))
    stage.settle()
    for _ in range(CAREFUL_FROM + 2):
        stage.processor._around.suspects.close()
        stage.restart(crash=True)
    assert not any(partition.caution.careful for partition in stage.processor.partitions.values())

    # Under the same name on another machine, nobody knows.
    stage.options["state_folder"] = str(tmp_path / "other")
    stage.restart(crash=True)
    assert [partition.caution.takeovers for partition in stage.processor.partitions.values()] == [1]


def test_who_is_careful_serves_all_partitions_and_those_who_wait_at_no_cost() -> None:
    """Callers ask again and again for results: the few commands that run code must not stand behind all of that."""
    stage = Stage([Counter, Hello], partitions=4)
    answer = stage.begin("Counter")
    assert isinstance(answer, Done)
    assert answer.run_id
    for _ in range(CAREFUL_FROM):
        stage.restart(crash=True, disk="empty")
    for number in range(100):
        stage.send(AwaitResult(workflow_id=WorkflowId("w"), run_id=answer.run_id))
        stage.send(start("Hello", f"h{number}"), reply=False)
    turns = 0
    while not all(stage.kinds(f"h{number}") for number in range(8)):
        stage.processor.turn()
        turns += 1

    assert turns < 50
    stage.settle()
    notes = [noted_in(position) for position in positions(stage) if position.stepping]
    stepping = [name for names in notes for name in names]
    assert "w" not in stepping
    assert len(stepping) == len(set(stepping)) == 100
    assert len(notes) <= 2 * 100 / TOGETHER_MAX


def test_who_stood_in_the_same_note_is_blamed_once_at_most_and_steps_alone_then(
    deadly: set[str],
) -> None:
    """Of a group nobody knows whose step it was. Its other members absolve themselves by stepping, each in its own note."""
    stage = Stage([Hello, Counter])
    stage.settle()
    deadly.add("bad")
    stage.send(start("Counter", "bad"), reply=False)
    for number in range(TOGETHER_MAX + 4):
        stage.send(start("Hello", f"h{number}"), reply=False)
    noted = len(positions(stage))

    assert deaths(stage) == DEATHS_MAX

    told = positions(stage)[noted:]
    assert max(p.suspects.get(f"h{n}", 0) for p in told for n in range(TOGETHER_MAX + 4)) == 1
    blamed = max((set(p.suspects) for p in told), key=len)
    assert len(blamed) == TOGETHER_MAX
    alone = [noted_in(p) for p in told if blamed & set(noted_in(p))][1:]
    assert all(len(names) == 1 for names in alone)
    assert set(told[-1].suspects) == {"bad"}


def test_many_deadly_runs_are_found_one_after_the_other(deadly: set[str]) -> None:
    """Each costs its own ends, and none is forgotten for the others' sake."""
    stage = Stage([Hello, Counter])
    stage.settle()
    names = [f"bad{number}" for number in range(3)]
    deadly.update(names)
    for name in names:
        stage.send(start("Counter", name), reply=False)
        for number in range(TOGETHER_MAX):
            stage.send(start("Hello", f"{name}-{number}"), reply=False)

    count = sum(1 for _ in iter(lambda: lives(stage), True))

    assert count <= CAREFUL_FROM + QUARANTINE_AFTER * len(names)
    assert [trouble_of(stage, name) for name in names] == ["quarantined"] * 3
    assert all(stage.kinds(f"{name}-{n}") for name in names for n in range(TOGETHER_MAX))


def test_an_ordinary_life_writes_nothing_of_it() -> None:
    """Neither more records nor more in them."""
    stage = Stage([Hello])
    stage.begin("Hello")
    stage.restart()
    stage.begin("Hello", "other")

    assert all(
        (p.takeovers, p.stepping, p.suspects, p.code) == (0, "", {}, "") for p in positions(stage)
    )


def noted_in(position: PositionRecord) -> tuple[str, ...]:
    return (position.stepping, *position.stepping_too) if position.stepping else ()


def positions(stage: Stage) -> list[PositionRecord]:
    return [decode_position(record.value or b"") for record in stage.of_kind(EntityKind.POSITION)]
