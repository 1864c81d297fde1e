"""Judges a deployment by what lies in its raw topics and witness files alone, never by what the engine says of itself.

Each check adds what it finds wrong to a list, so that a broken run is described as a whole.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from streamflow.model.events import (
    ActivityCanceled,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    Recorded,
    SignalReceived,
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTerminated,
)
from streamflow.wire.entities import decode_position
from streamflow.wire.events import decode_event
from streamflow.wire.header import NO_HASH, entry_hash
from streamflow.wire.keys import EntityKind
from tests.faults import orders
from tests.faults.raw import CLOSING_CODES, Entry

MILLISECOND = 1.0
"""The broker writes its time in whole ones."""


class Witnessed(NamedTuple):
    """One execution of an activity, as it wrote itself down."""

    order: str
    run: str
    step: str
    attempt: int
    pid: int
    ms: float


def witnessed(files: Iterable[Path]) -> list[Witnessed]:
    lines = [line for file in files if file.exists() for line in file.read_text().splitlines()]
    return sorted((Witnessed(**json.loads(line)) for line in lines), key=lambda witness: witness.ms)


@dataclass
class Verdict:
    """What was found wrong, and figures for the report."""

    wrong: list[str] = field(default_factory=list)
    events: int = 0
    rows: int = 0
    executions: int = 0
    reruns: int = 0
    """Executions of an attempt that had been executed before: allowed while its end is not in the history."""

    def expect(self, truth: bool, otherwise: str) -> None:
        if not truth:
            self.wrong.append(otherwise)

    def enforce(self) -> None:
        shown = "\n  ".join(self.wrong[:30])
        assert not self.wrong, f"{len(self.wrong)} things are wrong:\n  {shown}"


def judge(
    entries: Sequence[Entry],
    numbers: Mapping[str, int],
    witnesses: Sequence[Witnessed],
    *,
    besides: Collection[str] = (),
) -> Verdict:
    """Everything that must hold of a finished deployment. ``numbers`` are the orders by workflow ID, ``besides``
    workflows that are no orders."""
    verdict = Verdict(executions=len(witnesses))
    runs = _chains(entries, verdict)
    _positions(entries, verdict)
    by_order: dict[str, list[str]] = defaultdict(list)
    for workflow_id, run_id in runs:
        by_order[workflow_id].append(run_id)
    for order, number in numbers.items():
        found = by_order.pop(order, [])
        verdict.expect(len(found) == 1, f"{order}: expected 1 run, found {len(found)}")
        if len(found) == 1:
            _ending(order, number, runs[order, found[0]], verdict)
    for workflow in besides:
        found = by_order.pop(workflow, [])
        verdict.expect(len(found) == 1, f"{workflow}: expected 1 run, found {len(found)}")
    verdict.expect(not by_order, f"runs that nobody asked for: {sorted(by_order)}")
    _executions(runs, numbers, witnesses, verdict)
    return verdict


# -- what the log says ------------------------------------------------------------------------------------------------


class Placed(NamedTuple):
    """An event and when the broker had it."""

    appended_ms: int
    recorded: Recorded


def _chains(entries: Sequence[Entry], verdict: Verdict) -> dict[tuple[str, str], list[Placed]]:
    """The events of each run: gapless, in order, each naming its predecessor, with one end, which is last."""
    runs: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    hashes: dict[tuple[str, str], bytes] = {}
    for entry in entries:
        if entry.key.kind is not EntityKind.EVENT or entry.value is None:
            continue
        run = entry.key.workflow_id, entry.key.run_id
        where = f"{run[0]} at {entry.partition}/{entry.offset}"
        placed = Placed(entry.appended_ms, decode_event(entry.value))
        before = runs[run]
        expected = len(before) + 1
        verdict.expect(
            (entry.key.number, entry.header.seq, placed.recorded.seq) == (expected,) * 3,
            f"{where}: expected event {expected}, found {entry.key.number}/{entry.header.seq}/{placed.recorded.seq}",
        )
        verdict.expect(
            entry.header.previous_hash == hashes.get(run, NO_HASH),
            f"{where}: event {entry.header.seq} follows another one than stands before it",
        )
        if before:
            last = before[-1].recorded
            verdict.expect(
                placed.recorded.time_ms >= last.time_ms, f"{where}: the run's time goes back"
            )
        hashes[run] = entry_hash(entry.packed, entry.value)
        before.append(placed)
        verdict.events += 1
        ends = sum(1 for each in before if type(each.recorded.event) in _ENDS)
        verdict.expect(
            ends == (entry.header.code in CLOSING_CODES),
            f"{where}: {ends} ends, with event {entry.header.code} as the last",
        )
    return runs


_ENDS = (WorkflowCompleted, WorkflowFailed, WorkflowTerminated)


def _positions(entries: Sequence[Entry], verdict: Verdict) -> None:
    """Each partition counts its transactions without a gap, and never goes back in its inbox."""
    last: dict[int, tuple[int, int]] = {}
    for entry in entries:
        if entry.key.kind is not EntityKind.POSITION or entry.value is None:
            continue
        position = decode_position(entry.value)
        ordinal, offset = last.get(entry.partition, (0, -1))
        verdict.expect(
            position.ordinal == ordinal + 1,
            f"partition {entry.partition}: transaction {position.ordinal} follows {ordinal}",
        )
        verdict.expect(
            position.inbox_offset >= offset,
            f"partition {entry.partition}: inbox position {position.inbox_offset} follows {offset}",
        )
        last[entry.partition] = position.ordinal, position.inbox_offset


def owners(entries: Sequence[Entry]) -> dict[int, str]:
    """Who wrote to each partition last."""
    found: dict[int, str] = {}
    for entry in entries:
        if entry.key.kind is EntityKind.POSITION and entry.value is not None:
            owner = decode_position(entry.value).owner
            if owner:
                found[entry.partition] = owner
    return found


# -- what became of the orders ------------------------------------------------------------------------------------------


def _ending(order: str, number: int, run: Sequence[Placed], verdict: Verdict) -> None:
    events = [placed.recorded.event for placed in run]
    started, last = events[0], events[-1]
    verdict.expect(isinstance(started, WorkflowStarted), f"{order}: begins with {started}")
    expected = orders.expected(number)
    match last:
        case WorkflowCompleted(result=result):
            found = json.loads(result.data) if result else None
        case WorkflowFailed(failure=failure):
            found = orders.DECLINED if failure.message == "No money" else failure.message
        case _:
            found = f"no end, but {last}"
    verdict.expect(found == expected, f"{order}: expected {expected}, found {found}")
    heard = Counter(event.name for event in events if isinstance(event, SignalReceived))
    said = Counter(orders.signals(number))
    verdict.expect(heard == said, f"{order}: the driver said {said}, the history has {heard}")


def _executions(
    runs: Mapping[tuple[str, str], Sequence[Placed]],
    numbers: Mapping[str, int],
    witnesses: Sequence[Witnessed],
    verdict: Verdict,
) -> None:
    """Each activity ran, ended once, and did not run again once its end was in the history."""
    ended = {run: _ends_of(run[0], placed, verdict) for run, placed in runs.items()}
    seen: dict[tuple[str, str], set[str]] = defaultdict(set)
    tried: Counter[tuple[str, str, int]] = Counter()
    for witness in witnesses:
        run = witness.order, witness.run
        if run not in ended:
            verdict.wrong.append(f"{witness.order}: {witness} belongs to no run of the history")
            continue
        seen[run].add(witness.step)
        tried[witness.run, witness.step, witness.attempt] += 1
        end_ms = ended[run].get(witness.step)
        verdict.expect(
            end_ms is not None, f"{witness.order}: {witness.step} ran, but the history has no end"
        )
        if end_ms is not None and witness.ms >= end_ms + MILLISECOND:
            verdict.wrong.append(
                f"{witness.order}: {witness.step} ran again {witness.ms - end_ms:.0f} ms after its end was recorded"
                f" (attempt {witness.attempt}, process {witness.pid})"
            )
    verdict.reruns = sum(count - 1 for count in tried.values())
    for run in runs:
        number = numbers.get(run[0])
        if number is None:
            continue
        wanted = orders.steps(number)
        verdict.expect(
            seen[run] == wanted, f"{run[0]}: expected {sorted(wanted)}, ran {sorted(seen[run])}"
        )
        verdict.expect(
            ended[run].keys() == wanted, f"{run[0]}: the history ends {sorted(ended[run])}"
        )


def _ends_of(order: str, run: Sequence[Placed], verdict: Verdict) -> dict[str, int]:
    """When each activity's end was appended, by the activity's name."""
    names: dict[int, str] = {}
    ends: dict[str, int] = {}
    for placed in run:
        match placed.recorded.event:
            case ActivityScheduled(op=op, activity_type=name):
                verdict.expect(name not in names.values(), f"{order}: {name} is scheduled twice")
                names[op] = name
            case ActivityCompleted(op=op) | ActivityFailed(op=op) | ActivityCanceled(op=op):
                name = names.get(op, f"operation {op}, never scheduled")
                verdict.expect(name not in ends, f"{order}: {name} has two ends")
                ends[name] = placed.appended_ms
            case _:
                pass
    return ends
