"""What `streamflow doctor --verify` makes of the log that a simulated run leaves: sound, the fold of every run included."""

from __future__ import annotations

from streamflow.config import DEFAULT_NAMESPACE
from streamflow.doctor import verify
from streamflow.memory.log import MemoryLog
from streamflow.topology import read_queues
from tests.simulation.histories import Histories
from tests.simulation.processes import QUEUE
from tests.simulation.scene import World


def faults(world: World, histories: Histories) -> list[str]:
    log = MemoryLog(world.broker, "doctor")
    try:
        found = verify(log, DEFAULT_NAMESPACE, read_queues(log, DEFAULT_NAMESPACE)[QUEUE])
    finally:
        log.close()
    if found.runs < len(histories.runs):
        return [f"verified {found.runs} runs of {len(histories.runs)}"]
    return [*map(str, found.broken), *found.problems]
