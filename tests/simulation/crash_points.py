"""Every single crash: each workflow shape is run once undisturbed, then once for each call to the log at which a process can
die, and every promise must hold each time.

    python -m tests.simulation.crash_points            all of them, on every core
    python -m tests.simulation.crash_points 40         every 40th
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import permutations
from typing import Any, Final, NamedTuple

from streamflow.memory.faults import Rates
from tests.saying import say
from tests.simulation.checker import Broken, check
from tests.simulation.composites import Step
from tests.simulation.plan import CHAOS_MS, NODES, Blow, Message, Plan, Workflow
from tests.simulation.quiet import be_quiet
from tests.simulation.scene import World
from tests.simulation.world import carry_out

START_MS: Final = 1_500
"""When the workflow is started: the group has come to rest."""

_STEPS: Final[dict[str, Step]] = {
    "activity": ["act", 1, {}],
    "slow activity": ["act", 2, {"ms": 300}],
    "activity that fails first": ["act", 3, {"fails": 2}],
    "activity with heartbeats": ["act", 4, {"ms": 4_000, "beat": True}],
    "local activity": ["local", 5, {}],
    "slow local activity": ["local", 6, {"ms": 300}],
    "timer": ["sleep", 900],
    "fan": ["fan", [1, 2, 3, 4]],
    "signal": ["hear", 1, None],
    "signal or timeout": ["hear", 2, 500],
    "race with a timer": ["race", 7, {"ms": 1_500}, 100],
    "activity made once": ["once", 8, {}],
    "continue as new": ["again"],
    "child": ["child", 9, {}],
    "signal to another": ["tell", "w1", "from-w0"],
}


class Shape(NamedTuple):
    name: str
    steps: list[Step]


def shapes() -> list[Shape]:
    """Each kind of step alone, pairs of every kind with two others, failure, and a mixture."""
    names = list(_STEPS)
    alone = [Shape(name, [step]) for name, step in _STEPS.items()]
    pairs = [
        Shape(f"{first}, then {second}", [_STEPS[first], _STEPS[second]])
        for first, second in permutations(names, 2)
        if (names.index(second) - names.index(first)) % len(names) in (1, 4, 7)
    ]
    failing = Shape("failure after an activity", [_STEPS["activity"], ["fail"]])
    return [*alone, *pairs, failing, Shape("everything", list(_STEPS.values()))]


class Point(NamedTuple):
    """A crash of this process at its call of this number."""

    shape: Shape
    process: str
    call: int
    what: str

    def __str__(self) -> str:
        return f"{self.shape.name}: {self.process} at call {self.call} ({self.what})"


def points(shape: Shape) -> list[Point]:
    """Where it can die while the workflow is under way. Raises `Broken` if undisturbed it goes wrong, or makes an attempt twice."""
    calls = dict.fromkeys(NODES, 0)
    found: list[Point] = []

    def note(process: str, call: str) -> None:
        if process in calls:
            calls[process] += 1
            if call != "topics":
                found.append(Point(shape, process, calls[process], call))

    carry_out(_plan(shape), _check_undisturbed, trace=note)
    # What comes after the last commit is idle, but for what ends the simulation.
    last = max(n for n, point in enumerate(found) if point.what.startswith("commit"))
    return found[: last + 1]


def _check_undisturbed(world: World) -> None:
    check(world)
    seen = [one for one in world.witness.seen if one.what == "begun"]
    begun = Counter((one.run_id, one.activity_id, one.attempt) for one in seen)
    if again := [attempt for attempt, times in begun.items() if times > 1]:
        raise Broken(f"begun more than once, though nothing went wrong: {again}")


def failure(point: Point) -> str | None:
    """What goes wrong when the process dies there."""
    disks: tuple[Any, ...] = ("kept", "empty", "behind")
    blow = Blow(0, point.process, "crash_at", calls=point.call, store=disks[point.call % 3])
    try:
        carry_out(_plan(point.shape, blow), check)
    except Exception as error:  # whatever it is, the point is what its finder needs
        return f"{point}: {type(error).__name__}: {error}"
    return None


def failures(every: int = 1) -> tuple[int, list[str]]:
    """How many crashes were tried, and what went wrong."""
    tried, found = 0, list[str]()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=be_quiet) as pool:
        for count, wrong in pool.map(_of_shape, shapes(), [every] * len(shapes())):
            tried += count
            found += wrong
    return tried, found


def _of_shape(shape: Shape, every: int) -> tuple[int, list[str]]:
    chosen = points(shape)[::every]
    return len(chosen), [wrong for point in chosen if (wrong := failure(point)) is not None]


def _plan(shape: Shape, *blows: Blow) -> Plan:
    messages = [
        Message(START_MS, "c0", "start"),
        Message(START_MS + 400, "c0", "signal", "w0-0"),
        Message(START_MS + 450, "c1", "update", "w0-u"),
        Message(START_MS + 6_000, "c1", "query"),
    ]
    told = Workflow("w1", "Program", [["hear", 1, 9_000]], [Message(START_MS, "c1", "start")])
    workflows = [Workflow("w0", "Program", shape.steps, messages, executes=True)]
    if any(step[0] == "tell" for step in shape.steps):
        workflows.append(told)
    return Plan(
        0,
        workflows,
        list(blows),
        Rates(),
        deploy_ms=0,
        side_ms=CHAOS_MS - 1,
        partitions=1,
        skews=dict.fromkeys(NODES, 0),
        snapshot_every_ms=700,
        standby=1,
    )


def main(arguments: Sequence[str]) -> int:
    tried, found = failures(int(arguments[0]) if arguments else 1)
    for wrong in found:
        say(wrong)
    say(f"{len(shapes())} shapes, {tried} crashes, {len(found)} failures")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
