"""Following what others own: a store that is as far as the owner's, and a partition that is taken over with its last records."""

from __future__ import annotations

from typing import Any

from streamflow.memory.objects import MemoryBucket
from streamflow.memory.store import MemoryStores
from streamflow.model.answers import QueryAnswer
from streamflow.processor import Processor
from streamflow.processor.partitions.standby import Standby
from streamflow.processor.state.layout import META
from streamflow.processor.state.rows import Rows
from tests.unit.processor.logs import dump
from tests.unit.processor.programs import Counter
from tests.unit.processor.stage import Stage
from tests.unit.processor.test_restore import COUNT, add

LOOK_MS = 5_000


class Pair:
    """An owner of the one partition, and a second process that may stand by for it."""

    def __init__(self, signals: int = 5, **options: Any) -> None:
        self.stage = stage = Stage([Counter], standby=1, log_id="here", **options)
        stage.begin("Counter")
        for _ in range(signals):
            stage.ask(add())
        self.owner, self.owner_log = stage.processor, stage.log
        self.disk = MemoryStores()
        stage.stores, self.owner_disk = self.disk, stage.stores
        self.other = stage.start("q")
        self.turn()
        self.turn()

    @property
    def standby(self) -> Standby:
        assert self.other.standby is not None
        return self.other.standby

    def turn(self) -> None:
        """Everybody does what there is to do; then some seconds pass."""
        for _ in range(20):
            self.stage.broker.run()
            for processor in (self.owner, self.other):
                if not self._dead(processor):
                    processor.turn()
            self.standby.turn()
        self.stage.clock.advance(LOOK_MS)

    def _dead(self, processor: Processor) -> bool:
        return processor is self.owner and self.owner_log.process.dead

    def rows(self) -> Rows:
        return self.standby._followed[0].rows

    def ask(self, processor: Processor) -> None:
        self.stage.processor = processor
        self.stage.send(add())


def contents(rows: Rows) -> dict[bytes, bytes]:
    return {key: row for key, row in dump(rows).items() if key != META and key[:1] != b"t"}


def test_its_rows_are_those_of_the_owner() -> None:
    """What was there before, and what comes."""
    pair = Pair()
    assert pair.standby.lag == {0: 0}
    assert contents(pair.rows()) == contents(pair.owner.partitions[0].rows)

    pair.ask(pair.owner)
    pair.turn()

    assert contents(pair.rows()) == contents(pair.owner.partitions[0].rows)
    assert pair.owner.standby is not None
    assert pair.owner.standby.lag == {}


def test_a_partition_is_taken_over_with_its_last_records() -> None:
    """Not with the whole history, and nothing is missing."""
    pair = Pair(signals=50)
    pair.ask(pair.owner)
    pair.owner.turn()
    pair.owner_log.crash()
    for _ in range(4):
        pair.turn()

    assert list(pair.other.partitions) == [0]
    assert pair.standby._followed == {}
    assert pair.other.counters.restored_entries < 20
    assert pair.standby.counters.restored_entries > 100
    pair.stage.processor = pair.other
    answer = pair.stage.ask(COUNT)
    assert isinstance(answer, QueryAnswer)
    assert answer.result is not None
    assert answer.result.data == b"51"


def test_a_damaged_store_is_built_anew() -> None:
    pair = Pair()
    pair.disk.corrupt("0")
    pair.ask(pair.owner)

    pair.turn()
    pair.turn()

    assert contents(pair.rows()) == contents(pair.owner.partitions[0].rows)


def test_a_standby_begins_with_a_snapshot() -> None:
    """And reads the rest."""
    stage_bucket = MemoryBucket()
    pair = Pair(bucket=stage_bucket, snapshot_every_ms=1_000, snapshot_gain_min=1)
    pair.ask(pair.owner)
    pair.turn()
    pair.turn()
    assert pair.owner.counters.snapshots_taken > 0
    pair.standby.end()
    pair.disk = pair.stage.stores = MemoryStores()

    again = Standby(
        pair.stage.log,
        pair.disk,
        pair.other._around,
        pair.other._group,
        snapshots=stage_bucket.of(pair.stage.log),
    )
    again.turn()
    again.turn()

    assert again.counters.snapshots_loaded == 1
    assert again.lag == {0: 0}
    assert contents(again._followed[0].rows) == contents(pair.owner.partitions[0].rows)


def test_a_store_that_is_of_no_use_here_is_removed_in_the_end() -> None:
    """Not at once: partitions come back."""
    pair = Pair(store_kept_ms=60_000)
    pair.stage.stores = MemoryStores()
    heir = pair.stage.start("a")  # the first by name
    for _ in range(2):
        heir.turn()
        pair.turn()
    assert pair.standby.lag == {}
    assert pair.disk.names() == ["0"]

    for _ in range(15):
        heir.turn()
        pair.turn()

    assert pair.disk.names() == []


def test_a_processor_that_closes_ends_its_standby_first() -> None:
    """Its stores are about to be closed."""
    pair = Pair()

    pair.other.close()

    assert pair.standby.turn() is None
    assert pair.standby.lag == {}
