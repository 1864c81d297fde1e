"""How much of one workflow a turn takes, and who goes first after a long one, so that the others of a partition are not held up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from streamflow.ports import Record
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.batch import Batch
from streamflow.processor.state.partition import Partition

SHARE_OF_HELD = 8
"""An eighth of what waits is taken in any case. A turn costs more than its records, so small ones would fall behind what
arrives, and what cannot be read any more cannot be overtaken."""

OTHERS_MAX = 50
"""Of more records than this the turn would be a long one again: then it takes what there is, as any other."""

Name = tuple[int, bytes]
"""A workflow of a partition, as the key of its records has it."""


def most_of_one(partitions: Iterable[Partition], around: Surroundings) -> int:
    """How many records of one workflow this turn takes."""
    held = sum(len(partition.held) for partition in partitions)
    return max(around.options.records_of_one_max, held // SHARE_OF_HELD)


def served_long(batch: Batch, around: Surroundings) -> frozenset[Name]:
    """The workflows of a long turn; none if it was short."""
    if len(batch.records) < around.options.turn_records_long:
        return frozenset()
    return frozenset((owner.partition, owner.workflow_id.encode()) for owner in batch.owners)


def others_came(
    served: frozenset[Name],
    records: Sequence[Record],
    partitions: Mapping[int, Partition],
    *,
    ended: bool,
) -> bool:
    """Whether there is input of workflows that the last turn, a long one, did not serve, and little enough to go first.

    ``ended`` is whether local activities have: their runs are in the middle of what should have been one turn.
    """
    if not served:
        return False
    held = (record for partition in partitions.values() for record in partition.held)
    others = sum(
        (record.partition, record.key or b"") not in served for record in chain(held, records)
    )
    return (others > 0 or ended) and others <= OTHERS_MAX
