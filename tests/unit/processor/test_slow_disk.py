"""A disk that takes two seconds for each write: everything comes later, nothing is lost or doubled, and what waits is bounded."""

from __future__ import annotations

from streamflow.memory.clock import VirtualClock
from streamflow.memory.store import MemoryStores
from streamflow.model.answers import QueryAnswer
from streamflow.processor.turns.pace import HELD_MAX
from tests.unit.processor.asking import COUNT, add
from tests.unit.processor.programs import Counter, Hello
from tests.unit.processor.stage import Stage, payload, start

SIGNALS = 3_000
OTHERS = 100


class SlowStores(MemoryStores):
    """Time passes with each write."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock
        self.writes = 0

    def check_room(self, name: str) -> None:
        self.writes += 1
        self._clock.advance(2_000)
        super().check_room(name)


def test_a_slow_disk_delays_everything_and_breaks_nothing() -> None:
    stage = Stage([Counter, Hello])
    stage.processor.close()
    stores = SlowStores(stage.clock)
    stage.stores = stores
    stage.start()
    stage.begin("Counter")
    began_ms, before = stage.clock.now_ms(), stores.writes
    for number in range(SIGNALS):
        stage.send(add("x"), reply=False)
        if number % (SIGNALS // OTHERS) == 0:
            stage.send(start("Hello", f"other-{number}"), reply=False)

    most = 0
    while stage.processor.turn() == 0:
        most = max(most, len(stage.partition().held))
        stage.broker.run()
    stage.settle()

    assert stage.ask(COUNT) == QueryAnswer(result=payload(SIGNALS))
    for number in range(0, SIGNALS, SIGNALS // OTHERS):
        assert stage.kinds(f"other-{number}").count("WorkflowCompleted") == 1
    assert stage.clock.now_ms() - began_ms >= 2_000 * (stores.writes - before) > 0
    assert 0 < most <= HELD_MAX
