"""What to do about a transaction that the log refuses for good: find whose record it was, and let everybody else go on.

    refused, record named ----------------------------------------------------> suspected --.
    refused, record not named --> half as many commands, until one is left ---> suspected --+
                                                                                            v
                      a transaction of positions alone: taken --> the suspect is the owner; refused --> the partition is

    owner                     1st time              2nd                          3rd
    a workflow                put aside (letters)   marked only, told to nobody  left alone in the store
    a record to be forwarded  kept as a dead letter letter without its value     passed over, loudly
    a dead letter             without its value     passed over, loudly
    the partition itself      nothing can be put aside: waits, ever longer, for the log to take its records again

Every column is a further refusal of what the column before it tried, so nothing is retried for ever. What is passed over stays
in the inbox topic for its retention, and the log says where.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from streamflow.observability import get_logger
from streamflow.ports import OutRecord, Record, RecordRefused
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.batch import Batch, Stray
from streamflow.processor.turns.ramp import Ramp
from streamflow.wire.inbox import dead_letter, forward

log = get_logger("processor")

WAIT_MS_MIN = 100
WAIT_MS_MAX = 5_000
"""How long a partition whose own records are refused waits between two tries."""


class Run(NamedTuple):
    """A workflow."""

    partition: int
    workflow_id: str


Suspect = Run | Stray


class Aside(NamedTuple):
    """Why, and how often, transactions were refused for somebody's sake."""

    message: str
    times: int


class Refusals:
    """Remembers from one batch to the next; each is forgotten with the commit that heeds it."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._asides: dict[Suspect, Aside] = {}
        self._used: set[Suspect] = set()
        """Which of them this batch heeds."""
        self._sources: list[tuple[OutRecord, Record]] = []
        """What this batch appends for strays, and for which."""
        self._passed_over: list[Stray] = []
        """Records of this batch of which nothing is kept."""
        self._suspects: list[Suspect] = []
        """Who is to blame if the probe goes through."""
        self._probed: frozenset[int] = frozenset()
        self._reason = ""
        self.ramp = Ramp(around.options.batch_records_max)
        """How many commands the next batch may take, while somebody is looked for."""
        self.wait_ms = 0
        """How long to wait before the next batch."""

    # -- while a batch is filled ----------------------------------------------------------------------------------

    def of(self, number: int, workflow_id: str) -> Aside | None:
        """Whether, and how often, the log refused transactions for this workflow's sake."""
        return self._heeded(Run(number, workflow_id)) if self._asides else None

    def forwarded(self, record: Record, home: int) -> OutRecord | None:
        """The record on its way to its partition, or what is kept of it instead."""
        refused = self._of(record)
        if refused is None:
            return self._noted(forward(record, home), record)
        return self._letter(record, "placement", refused.message, refused.times - 1)

    def dead_letter(self, record: Record, stage: str, message: str) -> OutRecord | None:
        """The record as a dead letter, or as much of it as the log takes; ``None`` is nothing."""
        refused = self._of(record)
        return self._letter(record, stage, message, 0 if refused is None else refused.times)

    def _of(self, record: Record) -> Aside | None:
        return self._heeded(Stray(record.partition, record.offset)) if self._asides else None

    def _heeded(self, suspect: Suspect) -> Aside | None:
        self._used.add(suspect)
        return self._asides.get(suspect)

    def _letter(self, record: Record, stage: str, message: str, refusals: int) -> OutRecord | None:
        if refusals > 1:
            self._passed_over.append(Stray(record.partition, record.offset))
            return None
        self._around.counters.dead_letters += 1
        if refusals:
            key = record.key[:1_000] if record.key else record.key
            record_kept = msgspec.structs.replace(record, key=key, value=None, headers=())
            message = f"{message} (the log took it only without its value and headers)"
        else:
            record_kept = record
        letter = dead_letter(
            record_kept,
            topic=self._around.dead_letters_topic,
            stage=stage,
            message=message,
            connector=self._around.options.queue,
        )
        return self._noted(letter, record)

    def _noted(self, record: OutRecord, source: Record) -> OutRecord:
        self._sources.append((record, source))
        return record

    # -- the batch's fate -----------------------------------------------------------------------------------------

    @property
    def probed(self) -> frozenset[int]:
        """Partitions that the next transaction is to touch and nothing more: is it they that are refused?"""
        return self._probed

    def refused(self, batch: Batch, error: RecordRefused) -> None:
        """Learns from a batch that was refused; what is known then guides the next one."""
        log.error("record_refused", reason=str(error), commands=batch.works)
        if self._probed:
            self._suspects = []  # it was the partition all along
            self._wait(error)
        elif error.record is None and batch.works > 1:
            self.ramp.begin(batch.works // 2)
        else:
            self._suspects = self._suspected(batch, error.record)
            self._reason = str(error)
            self._probed = frozenset(batch.parts)
            self.ramp.begin(0)
        self.dropped()

    def committed(self, batch: Batch) -> None:
        """All of the batch was taken."""
        self.wait_ms = 0
        if self._probed:
            self._probed = frozenset()
            self.ramp.end()
            for suspect in self._suspects:
                before = self._asides.get(suspect)
                self._asides[suspect] = Aside(self._reason, before.times + 1 if before else 1)
        else:
            # The one that is looked for may be among those that are left.
            self.ramp.committed()
        for used in self._used:
            self._asides.pop(used, None)
        for place in (*self._passed_over, *batch.passed_over):
            # It stays in the inbox topic for its retention.
            self._around.counters.passed_over += 1
            log.error("record_passed_over", **place._asdict(), reason=self._reason)
        self.dropped()

    def forget(self, number: int) -> None:
        """The partition begins anew here: what another owner had of it meanwhile, nobody here knows."""
        self._asides = {who: why for who, why in self._asides.items() if who.partition != number}

    def dropped(self) -> None:
        """The batch did not come to be, or is done with."""
        self._sources.clear()
        self._used.clear()
        self._passed_over.clear()

    def _suspected(self, batch: Batch, record: OutRecord | None) -> list[Suspect]:
        """Whose the refused record was: a stray's, a workflow's, or nobody's. Unnamed, it was of the only command."""
        strays = [
            Stray(r.partition, r.offset) for mine, r in self._sources if record in (None, mine)
        ]
        if record is None:
            owners = {Run(owner.partition, owner.workflow_id) for owner in batch.owners}
            return [*strays, *owners]
        owner = batch.owner_of(record)
        # Position records stand behind everything else, one for each partition.
        is_position = any(mine is record for mine in batch.records[-len(batch.parts) :])
        if strays or owner is None or is_position:
            return list(strays)
        return [Run(*owner)]

    def _wait(self, error: RecordRefused) -> None:
        """Not a run's fault: the log does not take what a partition must write of itself."""
        self.wait_ms = min(max(WAIT_MS_MIN, 2 * self.wait_ms), WAIT_MS_MAX)
        log.error(
            "partition_refused",
            reason=str(error),
            wait_ms=self.wait_ms,
            advice="The log refuses what the partition must write of itself: look at the queue's topics and at the "
            "processor's rights to write to them.",
        )
