"""What must hold at the end of every simulated run, told from the raw log, the witness list and what clients were told.

Never asks the engine how it sees things, but for one comparison: its live state with what the log alone gives.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

from streamflow.config import DEFAULT_NAMESPACE
from streamflow.engine.state import STATUS_OF
from streamflow.model.events import (
    ActivityCanceled,
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    CancelRequested,
    TimerFired,
    TimerStarted,
    WorkflowCanceled,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowFailed,
    WorkflowStarted,
    WorkflowTerminated,
    WorkflowTimedOut,
)
from streamflow.model.relations import (
    ChildClosed,
    ChildInitiated,
    ChildStarted,
    ChildStartFailed,
    ExternalAnswered,
    ExternalSignalSent,
)
from streamflow.ports import TopicPartition
from streamflow.topology import inbox_topic, partition_for, processor_group
from streamflow.wire.header import NO_HASH, entry_hash
from streamflow.wire.offset_note import read_note
from tests.simulation import clients, rebuilding, replaying, verifying
from tests.simulation.composites import fits
from tests.simulation.histories import Histories, Line, RunHistory, read, signals_of
from tests.simulation.plan import Workflow
from tests.simulation.processes import QUEUE
from tests.simulation.programs import Seen, allowed
from tests.simulation.scene import World
from tests.simulation.values import json_of

CLOSED = (
    WorkflowCompleted,
    WorkflowFailed,
    WorkflowCanceled,
    WorkflowContinuedAsNew,
    WorkflowTerminated,
    WorkflowTimedOut,
)
AGAIN_MS = 1_000
"""An attempt that begins so much later than its activity's end was known is one too many."""


class Broken(AssertionError):
    """Something that must hold does not."""


def check(world: World) -> None:
    """Raises `Broken` with everything that was found."""
    histories = read(world.broker)
    found = list(world.failures)
    for each in _CHECKS:
        found += each(world, histories)
    if found:
        raise Broken("\n".join(found))


# -- the log ------------------------------------------------------------------------------------------------------


def _chains(world: World, histories: Histories) -> list[str]:
    """Every history is gapless, in order, chained by its hashes, and ends with its one closing event."""
    found: list[str] = []
    for run in histories.runs.values():
        previous, time_ms = NO_HASH, 0
        for number, (line, recorded) in enumerate(zip(run.lines, run.events, strict=True), 1):
            header = line.header
            what = f"{_name(run)}: event {number} ({type(recorded.event).__name__})"
            if not number == line.key.number == header.seq == recorded.seq:
                found.append(f"{what} is written as {line.key.number}/{header.seq}/{recorded.seq}")
            if header.previous_hash != previous:
                found.append(f"{what} does not follow the event before it")
            if recorded.time_ms < time_ms:
                found.append(f"{what} goes back in time")
            previous = entry_hash(line.packed, line.record.value or b"")
            time_ms = recorded.time_ms
        ends = [n for n, recorded in enumerate(run.events, 1) if isinstance(recorded.event, CLOSED)]
        if ends != [len(run.events)]:
            found.append(f"{_name(run)}: closing events at {ends} of {len(run.events)}")
    return found


def _positions(world: World, histories: Histories) -> list[str]:
    """One position record in each transaction, one further each time; the group's offset agrees with the last."""
    found: list[str] = []
    positions = world.broker.group(processor_group(DEFAULT_NAMESPACE, QUEUE)).positions
    for number in range(len(histories.partitions)):
        told = histories.positions(number)
        ordinals = [position.ordinal for position in told]
        if ordinals != list(range(1, len(told) + 1)):
            found.append(f"partition {number}: ordinals {ordinals}")
        offsets = [position.inbox_offset for position in told]
        if offsets != sorted(offsets):
            found.append(f"partition {number}: inbox offsets go back: {offsets}")
        inbox = TopicPartition(inbox_topic(DEFAULT_NAMESPACE, QUEUE), number)
        committed = positions.decided([inbox])[inbox]
        note = read_note(committed)
        forgotten = committed is None and any(b.kind == "blackout" for b in world.plan.blows)
        if told and (committed is None or note is None) and not forgotten:
            found.append(f"partition {number}: no committed offset")
        elif told and committed is not None and note is not None:
            agrees = (committed.offset, note.ordinal) == (offsets[-1], ordinals[-1])
            found += [] if agrees else [f"partition {number}: {committed}, position {told[-1]}"]
    return found


def _operations(world: World, histories: Histories) -> list[str]:
    """An activity ends once, and only if it was scheduled; a timer fires once, and never early."""
    found: list[str] = []
    for run in histories.runs.values():
        due: dict[int, int] = {}
        ended: Counter[int] = Counter()
        for recorded in run.events:
            match recorded.event:
                case ActivityScheduled(op=op):
                    due[op] = 0
                case TimerStarted(op=op, fire_at_ms=fire_at_ms):
                    due[op] = fire_at_ms
                case ActivityCompleted(op=op) | ActivityFailed(op=op) | ActivityCanceled(op=op):
                    ended[op] += 1
                case ChildInitiated(op=op) | ExternalSignalSent(op=op):
                    due[op] = 0
                case ChildClosed(op=op) | ChildStartFailed(op=op) | ExternalAnswered(op=op):
                    ended[op] += 1
                case TimerFired(op=op):
                    ended[op] += 1
                    if recorded.time_ms < due.get(op, 0):
                        found.append(f"{_name(run)}: timer {op} fired early")
                case _:
                    pass
        found += [
            f"{_name(run)}: operation {op} ended {n} times" for op, n in ended.items() if n > 1
        ]
        found += [f"{_name(run)}: operation {op} never began" for op in ended.keys() - due.keys()]
    return found


def _runs(world: World, histories: Histories) -> list[str]:
    """A workflow is one chain of runs, however often its start was repeated."""
    found: list[str] = []
    for workflow in world.plan.workflows:
        runs = histories.of(workflow.id)
        before = None
        for run in runs:
            started = run.events[0].event
            if not isinstance(started, WorkflowStarted) or started.continued_from != before:
                found.append(f"{_name(run)}: begins with {started} after {before}")
            before = run.run_id
        found += [
            f"{_name(run)}: not the last, and ends with {run.events[-1].event}"
            for run in runs[:-1]
            if not isinstance(run.events[-1].event, WorkflowContinuedAsNew)
        ]
    return found


def _children(world: World, histories: Histories) -> list[str]:
    """Each child that a run asked for is started exactly once, and told of once: how it really ended."""
    found: list[str] = []
    for run in histories.runs.values():
        children: dict[int, list[RunHistory]] = {}
        for recorded in run.events:
            match recorded.event:
                case ChildInitiated(op=op, child_workflow_id=child):
                    chain = [one for one in histories.of(child) if _is_child(one, run, op)]
                    firsts = [one for one in chain if _started(one).continued_from is None]
                    if len(firsts) != 1:
                        found.append(f"{_name(run)}: child {child} was started {len(firsts)} times")
                    children[op] = chain
                case ChildStarted(op=op, child_run_id=run_id):
                    if run_id != children[op][0].run_id:
                        found.append(f"{_name(run)}: child {op} began as another run than {run_id}")
                case ChildClosed(op=op):
                    end = children[op][-1].events[-1].event
                    told, failure = recorded.event.result, recorded.event.failure
                    if recorded.event.status is not STATUS_OF[type(end)]:
                        found.append(f"{_name(run)}: child {op} ended with {end}, told {recorded}")
                    elif isinstance(end, WorkflowCompleted) and told != end.result:
                        found.append(f"{_name(run)}: child {op} gave {end.result}, told {told}")
                    elif isinstance(end, WorkflowFailed) and failure != end.failure:
                        found.append(f"{_name(run)}: child {op} failed otherwise: {failure}")
                case _:
                    pass
    return found


def _is_child(run: RunHistory, parent: RunHistory, op: int) -> bool:
    of = _started(run).parent
    return of is not None and (of.run_id, of.op) == (parent.run_id, op)


def _started(run: RunHistory) -> WorkflowStarted:
    started = run.events[0].event
    assert isinstance(started, WorkflowStarted)
    return started


def _told(world: World, histories: Histories) -> list[str]:
    """A signal of one workflow to another is there once if its sender was told so, and not at all if it was told no."""
    there = Counter(value for run in histories.runs.values() for value in signals_of([run]))
    found: list[str] = []
    for run in histories.runs.values():
        sent: dict[int, str] = {}
        for recorded in run.events:
            match recorded.event:
                case ExternalSignalSent(op=op, args=(argument,)):
                    sent[op] = json_of(argument)
                case ExternalAnswered(op=op, failure=failure):
                    expected = 1 if failure is None else 0
                    if there[sent[op]] != expected:
                        found.append(f"{_name(run)}: told {failure}, there {there[sent[op]]} times")
                case _:
                    pass
    return found


# -- what programs did --------------------------------------------------------------------------------------------


def _results(world: World, histories: Histories) -> list[str]:
    """What each program returned is what it must return, signals included, in the order of the log."""
    found: list[str] = []
    for workflow in world.plan.workflows:
        runs = histories.of(workflow.id)
        if runs:
            found += [f"{workflow.id}: {fault}" for fault in _result_faults(workflow, runs)]
    return found


def _result_faults(workflow: Workflow, runs: list[RunHistory]) -> list[str]:
    kinds = {type(recorded.event) for run in runs for recorded in run.events}
    match runs[-1].events[-1].event:
        case WorkflowCompleted(result=result):
            told = json_of(result)
            heard = signals_of(runs)
            faults = [] if told["heard"] == heard else [f"heard {told['heard']}, log has {heard}"]
            if len(workflow.steps) != len(told["results"]) or not all(
                fits(step, value, allowed)
                for step, value in zip(workflow.steps, told["results"], strict=True)
            ):
                faults.append(f"results {told['results']}, expected of {workflow.steps}")
            return faults
        case WorkflowFailed(failure=failure):
            planned = ["fail"] in workflow.steps and failure.type == "Planned"
            return [] if planned else [f"failed: {failure}"]
        case WorkflowCanceled():
            return [] if CancelRequested in kinds else ["cancelled by nobody"]
        case WorkflowTerminated():
            ended = any(message.kind == "end" for message in workflow.messages)
            return [] if ended else ["terminated by nobody"]
        case event:
            return [f"ended with {event}"]


def _attempts(world: World, histories: Histories) -> list[str]:
    """Nothing is made again once its completion is in the history, by anyone who could have known."""
    known = {key: line.decided_ms for key, (line, _) in _completed(histories).items()}
    done = {(s.run_id, s.activity_id) for s in world.witness.seen if s.what == "done"}
    found = [f"activity {k} completed without having been made" for k in known.keys() - done]
    for seen in world.witness.seen:
        late_ms = seen.time_ms - known.get((seen.run_id, seen.activity_id), seen.time_ms)
        if seen.what == "begun" and late_ms > AGAIN_MS and seen.undisturbed_ms > 10_000:
            found.append(f"{seen} began {late_ms} ms after its end was known")
    return found


def _local_attempts(world: World, histories: Histories) -> list[str]:
    """Who records the end of a local activity does not make it again, not even in the same moment: nobody has to tell him."""
    found: list[str] = []
    seen: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for one in world.witness.seen:
        seen[one.run_id, one.activity_id].append(one)
    for key, (line, scheduled) in _completed(histories).items():
        made = [
            (number, one.process)
            for number, one in enumerate(seen[key])
            if one.what == "done" and one.time_ms <= line.decided_ms
        ]
        by = {process for _, process in made}
        if not scheduled.local or len(by) != 1 or world.nodes[made[0][1]].had_twin:
            continue  # of several, or of twins, one may not know yet
        found += [
            f"{one} began although it had recorded the end at {line.decided_ms}"
            for one in seen[key][made[-1][0] + 1 :]
            if one.what == "begun" and one.process in by and one.time_ms >= line.decided_ms
        ]
    return found


def _completed(histories: Histories) -> dict[tuple[str, str], tuple[Line, ActivityScheduled]]:
    """Activities by run and ID: where the history has their end, and how they were asked for."""
    found: dict[tuple[str, str], tuple[Line, ActivityScheduled]] = {}
    for run in histories.runs.values():
        scheduled: dict[int, ActivityScheduled] = {}
        for line, recorded in zip(run.lines, run.events, strict=True):
            match recorded.event:
                case ActivityScheduled(op=op):
                    scheduled[op] = recorded.event
                case ActivityCompleted(op=op):
                    found[run.run_id, scheduled[op].activity_id] = line, scheduled[op]
                case _:
                    pass
    return found


# -- state --------------------------------------------------------------------------------------------------------


def _placement(world: World, histories: Histories) -> list[str]:
    count = len(histories.partitions)
    return [
        f"{_name(run)} lies on partition {run.lines[0].record.partition}"
        for run in histories.runs.values()
        if run.lines[0].record.partition != partition_for(run.workflow_id, count)
    ]


def _name(run: RunHistory) -> str:
    return f"{run.workflow_id}/{run.run_id[:8]}"


_CHECKS: tuple[Callable[[World, Histories], list[str]], ...] = (
    _chains,
    _positions,
    _operations,
    _runs,
    _children,
    _told,
    _results,
    _attempts,
    _local_attempts,
    clients.starts,
    clients.signals_told,
    clients.updates_told,
    clients.ends_told,
    clients.queries_told,
    _placement,
    rebuilding.faults,
    replaying.faults,
    verifying.faults,
)
