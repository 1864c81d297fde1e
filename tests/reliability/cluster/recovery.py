"""How soon a partition is stepped again after its owner was killed, from the log and the blows alone."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from streamflow.wire.entities import decode_position
from streamflow.wire.keys import EntityKind
from tests.faults.raw import Entry
from tests.reliability.cluster.blows import Blow

CALM_MS: Final = 5_000.0
"""A kill is undisturbed where no other fault lies so near before it, or before its end."""


class Stepped(NamedTuple):
    """A transaction in which workflow code ran."""

    ms: float
    owner: str


@dataclass(slots=True)
class Figures:
    """Milliseconds from the kill to the next step of a partition that the killed process owned."""

    restarted: list[float] = field(default_factory=list[float])
    """By the same instance, started at once; none of its partitions went elsewhere."""
    taken_over: list[float] = field(default_factory=list[float])
    """By another instance, the killed one being away: what the group waits for a member is in it."""

    def text(self) -> str:
        return f"same instance {_spread(self.restarted)}; another one {_spread(self.taken_over)}"


class Steps:
    """The transactions of each partition that made steps, in order."""

    def __init__(self, activated_code: int) -> None:
        self._code = activated_code
        self._stepping: set[int] = set()
        self._by_partition: defaultdict[int, list[Stepped]] = defaultdict(list)

    def take(self, entry: Entry) -> None:
        if entry.key.kind is EntityKind.EVENT:
            if entry.header.code == self._code:
                self._stepping.add(entry.partition)
        elif entry.key.kind is EntityKind.POSITION and entry.partition in self._stepping:
            assert entry.value is not None
            self._stepping.discard(entry.partition)
            owner = decode_position(entry.value).owner
            self._by_partition[entry.partition].append(Stepped(entry.appended_ms, owner))

    def figures(self, struck: Sequence[Blow], *, calm: bool) -> Figures:
        """Over all kills, or only over those that no other fault disturbed."""
        figures = Figures()
        kills = [blow for blow in struck if blow.what in ("kill", "away")]
        for kill in kills:
            others = [blow for blow in struck if blow is not kill]
            for steps in self._by_partition.values():
                after = bisect_right(steps, kill.began_ms, key=lambda step: step.ms)
                if not after or after == len(steps) or steps[after - 1].owner != kill.whom:
                    continue
                step = steps[after]
                if _struck_between(others, kill.whom, kill.began_ms, step.ms):
                    continue
                if calm and _struck_between(others, "", kill.began_ms - CALM_MS, step.ms):
                    continue
                if kill.what == "kill" and step.owner == kill.whom:
                    figures.restarted.append(step.ms - kill.began_ms)
                elif kill.what == "away" and step.owner != kill.whom:
                    figures.taken_over.append(step.ms - kill.began_ms)
        return figures


def _struck_between(struck: Iterable[Blow], whom: str, from_ms: float, to_ms: float) -> bool:
    return any(
        whom in ("", blow.whom) and blow.began_ms <= to_ms and blow.until_ms >= from_ms
        for blow in struck
    )


def _spread(samples: list[float]) -> str:
    if not samples:
        return "never seen"
    ordered = sorted(samples)

    def at(share: float) -> float:
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] / 1_000

    return f"p50 {at(0.5):.2f} s, p99 {at(0.99):.2f} s of {len(ordered)}"
