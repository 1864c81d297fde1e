"""What the owners before left of partitions that are taken over: asked and ended for all of them at once.

1. whose transactions may be open: of who neither handed his partitions over nor is in the group any more
2. end those, all in one go
3. read the committed offsets, stable: nobody can change them now but us
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamflow.observability import get_logger
from streamflow.ports import Committed, Log, Source, TopicPartition, Transactor
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.partition import Partition
from streamflow.wire.offset_note import OffsetNote, read_note

log = get_logger("processor")


def how_far_they_came(
    partitions: Sequence[Partition],
    *,
    log_: Log,
    source: Source,
    transactor: Transactor,
    around: Surroundings,
    group: str,
) -> Mapping[TopicPartition, Committed | None]:
    """The committed offset of each partition's inbox, which holds until we commit ourselves.

    Raises:
        Unavailable: the log does not say now; ask again.
    """
    inboxes = [partition.inbox for partition in partitions]
    told = source.committed(inboxes, stable=False)
    notes = {inbox.partition: read_note(told[inbox]) for inbox in inboxes}
    left_open = {
        number: note
        for number, note in notes.items()
        if note is not None and note.owner and note.owner != around.options.name
    }
    if left_open:
        _end(left_open, log_.live_members(group), transactor)
    return source.committed(inboxes)


def _end(left_open: Mapping[int, OffsetNote], live: frozenset[str], transactor: Transactor) -> None:
    """Ends what dead owners left. One process had many of these partitions, and is ended once for all of them."""
    dead = {number: note for number, note in left_open.items() if note.owner not in live}
    if dead:
        owners = sorted({note.owner for note in dead.values()})
        log.info("fencing_dead_owners", partitions=sorted(dead), owners=owners)
        transactor.fence([id for note in dead.values() for id in note.transactional_ids])
