"""What the cases of one run share: the broker, a scratch folder, how much to do, and the floor once it is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.figures import Figure, latency_figures
from benchmarks.floor import Floor
from benchmarks.orders import Effort


@dataclass
class Bench:
    bootstrap: str
    folder: Path
    effort: Effort
    floor: dict[str, Figure] = field(default_factory=dict)

    @property
    def quick(self) -> bool:
        return self.effort.repeats == 1

    def floor_figures(self) -> dict[str, Figure]:
        if not self.floor:
            self.floor = _measure_floor(self.bootstrap, self.effort)
        return self.floor


def _measure_floor(bootstrap: str, effort: Effort) -> dict[str, Figure]:
    with Floor(bootstrap) as floor:
        latencies = [floor.latencies(effort.one_by_one) for _ in range(effort.repeats)]
        rates = [
            floor.throughput(effort.floor_many, effort.in_flight) for _ in range(effort.repeats)
        ]
    return {**latency_figures(latencies), "orders/s": Figure.of(rates)}
