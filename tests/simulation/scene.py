"""What there is in a simulated world, and what was asked and told in it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from streamflow.memory.broker import MemoryBroker
from streamflow.memory.faults import Faults
from streamflow.memory.objects import MemoryBucket
from tests.simulation.plan import Message, Plan, Workflow
from tests.simulation.processes import ClientProcess, Node, SimLog
from tests.simulation.programs import Witness


@dataclass(slots=True)
class Call:
    """What a client asked, and what it was told: ``None`` until (and unless) it was answered."""

    workflow: Workflow
    message: Message
    value: str
    sent_ms: int
    answered_ms: int | None = None
    answer: Any = None
    error: Exception | None = None

    @property
    def succeeded(self) -> bool:
        return self.answered_ms is not None and self.error is None


@dataclass(slots=True)
class World:
    """Everything that the checker may look at."""

    plan: Plan
    broker: MemoryBroker
    faults: Faults
    bucket: MemoryBucket = field(default_factory=MemoryBucket)
    """The object store that all machines reach."""
    witness: Witness = field(default_factory=Witness)
    calls: list[Call] = field(default_factory=list[Call])
    failures: list[str] = field(default_factory=list[str])
    nodes: dict[str, Node] = field(default_factory=dict[str, Node])
    clients: dict[str, ClientProcess] = field(default_factory=dict[str, ClientProcess])
    stalls: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """By process: after how many steps of commits it is to stall, and for how long."""
    relays: dict[str, tuple[int, int]] = field(default_factory=dict[str, tuple[int, int]])
    """The same, from when the process begins to read a partition."""
    stalled: list[SimLog] = field(default_factory=list[SimLog])
    """Those that stall now."""
    silent_ms: list[int] = field(default_factory=list[int])
    """When the group had no member (every 100 ms)."""
    tasks: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    @property
    def now_ms(self) -> int:
        return self.broker.clock.monotonic_ms()

    @property
    def logs(self) -> list[SimLog]:
        """Of every process, clients included."""
        nodes = [node.log for node in self.nodes.values()]
        return nodes + [client.log for client in self.clients.values()]
