"""How much of one workflow a turn takes, so that the others of its partition are not held up."""

from __future__ import annotations

from collections.abc import Iterable

from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.partition import Partition

SHARE_OF_HELD = 8
"""An eighth of what waits is taken in any case. A turn costs more than its records, so small ones would fall behind what
arrives, and what cannot be read any more cannot be overtaken."""


def most_of_one(partitions: Iterable[Partition], around: Surroundings) -> int:
    """How many records of one workflow this turn takes."""
    held = sum(len(partition.held) for partition in partitions)
    return max(around.options.records_of_one_max, held // SHARE_OF_HELD)
