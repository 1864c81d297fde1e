"""What a seed means: which workflows run, who sends them what, which faults strike, and when. Drawn before anything runs."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from streamflow.coroutine.flags import ASKED_MAX
from streamflow.memory.faults import Rates
from tests.simulation import composites
from tests.simulation.composites import Step, leaves

CHAOS_MS = 25_000
"""For so long, things go wrong; what is under way then comes to its end in calm."""
NODES = ("n0", "n1", "n2")
CLIENTS = ("c0", "c1")


@dataclass(frozen=True, slots=True)
class Message:
    """Something that a client does to a workflow."""

    at_ms: int
    client: str
    kind: Literal[
        "start",
        "outsider",
        "signal",
        "update",
        "query",
        "describe",
        "history",
        "options",
        "cancel",
        "end",
    ]
    value: str = ""


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow: its program, and what is done to it in order of time."""

    id: str
    type: str
    steps: list[Step]
    messages: list[Message]
    with_signal: str = ""
    """The value of the signal that comes with the start, if one does."""
    executes: bool = False
    """Whether the starting client waits for the result in the same call."""
    delay_ms: int = 0

    @property
    def heals_late(self) -> bool:
        """Whether version 1 of the code cannot carry it to its end."""
        return self.type == "Newcomer" or any(
            step[0] in ("bug", "patch") or "patch" in str(step) for step in self.steps
        )

    @property
    def wants(self) -> int:
        """How many signals it may wait for without a limit."""
        every = [leaf for step in self.steps for leaf in leaves(step)]
        return max((s[1] for s in every if s[0] == "hear" and s[2] is None), default=0)


@dataclass(frozen=True, slots=True)
class Blow:
    """Something that happens to a process.

    A pause strikes between two turns of a process. A stall strikes in the middle of a commit: when it is over the process
    goes on, ignorant of what the others did meanwhile. In a relay one process hands over what it has, and the next
    stalls soon after it took it. In a lag the processor's next turn comes late, while its activities and everything
    else of the process go on, as on a machine with too much to do.
    """

    at_ms: int
    process: str
    kind: Literal[
        "crash",
        "crash_at",
        "pause",
        "restart",
        "twin",
        "blackout",
        "stall",
        "relay",
        "full disk",
        "lag",
    ]
    calls: int = 0
    lasts_ms: int = 0
    store: Literal["kept", "empty", "behind", "damaged"] = "kept"
    skew_ms: int = 0
    """How wrong the clock of the process is after it."""


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    workflows: list[Workflow]
    blows: list[Blow]
    rates: Rates
    deploy_ms: int
    """When processes begin to be started with version 2 of the code."""
    side_ms: int
    """When the queue for activities alone is made."""
    partitions: int
    skews: dict[str, int] = field(default_factory=dict[str, int])
    snapshot_every_ms: int = 0
    """How often processors put copies of their stores away; 0 is never."""
    standby: int = 0
    """How many others follow each partition."""
    asked_max: int = ASKED_MAX
    """How much one step may ask for."""
    records_of_one_max: int = 50
    """How many records of one workflow a turn may take before others overtake it."""
    turn_records_long: int = 128
    """A turn of so many records is followed by one for the others."""
    batch_records_max: int = 500
    """How many records a turn reads: with few, what was overtaken is not all read again in the first turn after a start."""
    runs_cached_max: int = 1_000
    """How many runs keep their coroutines between steps; with 0 every step is a replay."""


def draw(seed: int) -> Plan:
    chance = random.Random(seed)
    partitions = chance.choice((1, 1, 2, 3, 4))
    workflows = [_workflow(chance, number) for number in range(chance.randint(3, 12))]
    _operate(random.Random(f"operator-{seed}"), workflows)
    return Plan(
        seed,
        workflows,
        sorted(
            (*_blows(chance), *_lags(random.Random(f"lags-{seed}"))), key=lambda blow: blow.at_ms
        ),
        _rates(chance),
        deploy_ms=chance.randrange(CHAOS_MS),
        side_ms=chance.randrange(CHAOS_MS),
        partitions=partitions,
        skews={name: _skew(chance) for name in NODES},
        snapshot_every_ms=chance.choice((0, 300, 2_000, 8_000)),
        standby=chance.choice((0, 0, 1, 2)),
        asked_max=chance.choice((1, 2, 3, ASKED_MAX, ASKED_MAX)),
        records_of_one_max=chance.choice((1, 1, 2, 50)),
        runs_cached_max=chance.choice((1_000, 1_000, 2, 0)),
        turn_records_long=chance.choice((1, 10, 30, 128)),
        batch_records_max=random.Random(f"reads-{seed}").choice((1, 3, 20, 500)),
    )


def _rates(chance: random.Random) -> Rates:
    """Each fault is off in some runs and frequent in others: combinations matter more than averages."""

    def rate(highest: float) -> float:
        return chance.choice((0.0, highest / 5, highest))

    return Rates(
        aborted=rate(0.15),
        unknown_committed=rate(0.08),
        unknown_open=rate(0.06),
        unknown_late=rate(0.08),
        marker_late=rate(0.2),
        delivery_late=rate(0.2),
        reply_dropped=rate(0.15),
        sent_twice=rate(0.1),
        send_refused=rate(0.08),
        send_doubtful=rate(0.08),
        unavailable=rate(0.04),
        rebalance=rate(0.03),
        session_lost=rate(0.02),
    )


def _skew(chance: random.Random) -> int:
    return chance.choice((0, 0, 0, chance.randint(-2_000, 2_000), -60_000))


# -- blows --------------------------------------------------------------------------------------------------------


def _blows(chance: random.Random) -> list[Blow]:
    blows = [_blow(chance) for _ in range(chance.choice((0, 1, 2, 3, 5, 8, 12)))]
    if chance.random() < 0.15:
        blows.append(_blow(chance, kind="blackout"))
    return blows


def _lags(chance: random.Random) -> list[Blow]:
    """Longer than the second after which a local activity is looked for. Of a chance of their own, as `_operate`."""
    return [
        Blow(
            chance.randrange(CHAOS_MS),
            chance.choice(NODES),
            "lag",
            lasts_ms=chance.choice((1_050, 1_500, 3_000)),
        )
        for _ in range(chance.choice((0, 1, 4, 12)))
    ]


_BLOWS = (
    *("crash", "crash_at", "crash_at", "pause", "pause", "restart", "twin"),
    *("stall", "stall", "relay", "relay", "full disk"),
)


def _blow(chance: random.Random, *, kind: Any = None) -> Blow:
    kind = kind or chance.choice(_BLOWS)
    on_clients = kind not in ("twin", "stall", "relay", "full disk")
    process = chance.choice((*NODES, *NODES, *CLIENTS) if on_clients else NODES)
    stores: tuple[Any, ...] = ("kept", "kept", "empty", "behind", "damaged")
    return Blow(
        chance.randrange(CHAOS_MS),
        process,
        kind,
        calls=chance.randint(0, 6 if kind in ("stall", "relay") else 150),
        lasts_ms=chance.choice((10, 500, 3_000, 7_000, 14_000)),
        store=chance.choice(stores),
        skew_ms=_skew(chance),
    )


_KINDS = (
    *("act", "local", "sleep", "fan", "hear", "race", "once", "side", "again", "bug"),
    *("child", "tell", "sentence"),
)
_WEIGHTS = (24, 20, 12, 8, 14, 6, 6, 3, 6, 3, 12, 6, 30)
_LEAVES = ("act", "local", "sleep", "fan", "hear", "race", "once")
"""What sentences are made of."""
_LEAF_WEIGHTS = (24, 16, 12, 4, 10, 6, 4)


# -- workflows ----------------------------------------------------------------------------------------------------


def _workflow(chance: random.Random, number: int) -> Workflow:
    id_ = f"w{number}"
    steps = [_step(chance, index) for index in range(chance.randint(1, 6))]
    if chance.random() < 0.1:
        steps.append(["fail"])
    starts_ms = chance.randrange(CHAOS_MS // 2)
    starter = chance.choice(CLIENTS)
    begin: Any = "outsider" if chance.random() < 0.3 else "start"
    messages = [Message(starts_ms, starter, begin)]
    for copy in range(chance.choice((0, 0, 0, 1, 2))):
        again_ms = starts_ms + chance.randrange(3_000)
        messages.append(Message(again_ms, chance.choice(CLIENTS), "outsider", str(copy)))
    for index in range(chance.choice((0, 1, 2, 4))):
        at_ms = starts_ms + chance.randrange(12_000)
        messages.append(Message(at_ms, chance.choice(CLIENTS), "signal", f"{id_}-{index}"))
    for index in range(chance.choice((0, 0, 1, 3))):
        at_ms = starts_ms + chance.randrange(12_000)
        value = f"{id_}-u{index}" + ("-bad" if chance.random() < 0.2 else "")
        messages.append(Message(at_ms, chance.choice(CLIENTS), "update", value))
    for _ in range(chance.choice((0, 1, 2))):
        kinds: tuple[Any, ...] = ("query", "query", "query", "describe", "history")
        at_ms = starts_ms + chance.randrange(15_000)
        messages.append(Message(at_ms, chance.choice(CLIENTS), chance.choice(kinds)))
    if chance.random() < 0.15:
        ends: tuple[Any, ...] = ("cancel", "cancel", "end")
        at_ms = starts_ms + chance.randrange(12_000)
        messages.append(Message(at_ms, chance.choice(CLIENTS), chance.choice(ends)))
    return Workflow(
        id_,
        "Newcomer" if chance.random() < 0.08 else "Program",
        steps,
        sorted(messages, key=lambda message: message.at_ms),
        with_signal=f"{id_}-first" if chance.random() < 0.15 else "",
        executes=chance.random() < 0.3,
        delay_ms=chance.choice((0, 0, 0, 0, 2_000)),
    )


def _operate(chance: random.Random, workflows: list[Workflow]) -> None:
    """Some runs' pending activities are given other options. Of a chance of its own: the rest of a seed's plan is older."""
    for workflow in workflows:
        for _ in range(chance.choice((0, 0, 3, 8))):
            at_ms = workflow.messages[0].at_ms + chance.randrange(8_000)
            change = chance.choice(("elsewhere", "sooner", "back"))
            workflow.messages.append(Message(at_ms, chance.choice(CLIENTS), "options", change))
        workflow.messages.sort(key=lambda message: message.at_ms)


def _step(
    chance: random.Random,
    index: int,
    kinds: Sequence[str] = _KINDS,
    weights: Sequence[int] = _WEIGHTS,
) -> Step:
    n = 10 * index + chance.randrange(10)
    how: dict[str, Any] = {}
    if chance.random() < 0.4:
        how["ms"] = chance.choice((5, 50, 300, 1_500, 4_000))
    if chance.random() < 0.25:
        how["fails"] = chance.randint(1, 3)
    if chance.random() < 0.2:
        how["beat"] = True
    match chance.choices(kinds, weights)[0]:
        case "sentence":
            return composites.draw(chance, lambda: _step(chance, index, _LEAVES, _LEAF_WEIGHTS))
        case "sleep":
            return ["sleep", chance.choice((1, 40, 900, 5_000, 20_000))]
        case "fan":
            return ["fan", [chance.randrange(50) for _ in range(chance.randint(2, 5))]]
        case "hear":
            limit_ms = chance.choice((None, None, 10, 500, 6_000))
            return ["hear", chance.randint(1, 2), limit_ms]
        case "race":
            return ["race", n, how, chance.choice((5, 100, 1_000))]
        case "local":
            how.pop("beat", None)
            return ["local", n, {**how, "ms": min(how.get("ms", 0), 300)}]
        case "tell":
            return ["tell", f"w{chance.randrange(12)}", f"tell-{chance.randrange(10**9)}"]
        case "again" | "bug" as kind:
            return [kind]
        case kind:
            return [kind, n, how]
