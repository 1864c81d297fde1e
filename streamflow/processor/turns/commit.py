"""Makes a batch real, in this order: one transaction, then one write to each store, then what may be seen outside.

Nothing is visible before the commit is known. If it is not, the caller drops every draft that the batch touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from streamflow.model.answers import HistoryPage, Reason, Rejection
from streamflow.model.tasks import PositionRecord
from streamflow.observability import get_logger
from streamflow.ports import (
    Committed,
    LogError,
    OutRecord,
    Producer,
    RecordRefused,
    Source,
    TopicPartition,
    Transactor,
)
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.batch import Batch, PartitionBatch
from streamflow.processor.state.caution import still_suspected
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.rows import Ingest
from streamflow.wire import keys
from streamflow.wire.entities import decode_trouble, encode, encode_answer
from streamflow.wire.header import SF, EntryHeader, pack
from streamflow.wire.inbox import reply_record
from streamflow.wire.keys import EntityKind
from streamflow.wire.offset_note import note

log = get_logger("processor")


def commit(
    batch: Batch,
    partitions: Mapping[int, Partition],
    *,
    transactor: Transactor,
    source: Source,
    producer: Producer,
    around: Surroundings,
) -> None:
    """Raises what `Transactor.commit` raises; then nothing of the batch happened here."""
    offsets: dict[TopicPartition, Committed] = {}
    for part in batch.parts.values():
        partition = partitions[part.number]
        offsets[partition.inbox] = _stage_position(batch, part, partition, transactor, around)
    transactor.commit(batch.records, offsets, source)
    around.counters.transactions += 1
    now_ms = around.clock.now_ms()
    for part in batch.parts.values():
        # A commit proves that nobody else wrote meanwhile: the store is as far as its log.
        partitions[part.number].meta.followed_ms = now_ms
        store(part, partitions[part.number])
        if not part.stepping:
            partitions[part.number].caution.committed(batch.works)
        _spend(part, partitions[part.number], around)
        for suspect in part.released:
            around.suspects.absolve(suspect)
    for record in batch.answers:
        _tell(producer, record)
    for number, to, run_id, after_seq, bytes_max in batch.histories:
        page = history_page(partitions[number], run_id, after_seq, bytes_max)
        _tell(producer, reply_record(to, page))


def _spend(part: PartitionBatch, partition: Partition, around: Surroundings) -> None:
    """The runs that were begun are taken from what the queue's quota allows in a second."""
    if not part.begun:
        return
    per_second = around.quotas.found.quota.starts_per_second
    if per_second is not None:
        share = per_second / around.options.partitions
        partition.allowance.spend(part.begun, share, around.clock.monotonic_ms())


def _tell(producer: Producer, answer: OutRecord) -> None:
    """Sends an answer that recorded nothing. What goes wrong here cannot undo the commit: who asked asks again.

    An answer that the log does not take (too large) is replaced by the refusal to give it.
    """

    def sent(error: LogError | None) -> None:
        if isinstance(error, RecordRefused):
            refusal = Rejection(
                reason=Reason.LIMIT_EXCEEDED,
                message=f"Expected an answer that the log takes, found one that it refuses: {error}. Ask for less.",
            )
            again = msgspec.structs.replace(answer, value=encode_answer(refusal))
            _send(producer, again, None)
        elif error is not None:
            log.info("answer_not_sent", reason=str(error))

    _send(producer, answer, sent)


def _send(
    producer: Producer, record: OutRecord, sent: Callable[[LogError | None], None] | None
) -> None:
    try:
        producer.send(record, sent)
    except LogError as error:
        if sent is None:
            log.info("answer_not_sent", reason=str(error))
        else:
            sent(error)


def store(part: PartitionBatch, partition: Partition) -> None:
    """The committed entries become rows, together with the position that they bring the store to."""
    ingest = Ingest(partition.rows)
    for entry in part.entries:
        ingest.add(entry)
    for run_id, due_ms in part.due_corrections.items():
        ingest.due(run_id, due_ms)
    meta = partition.meta
    meta.ordinal += 1
    if part.position is not None:
        meta.take(part.position)
        meta.come_to(part.position)
    ingest.finish(meta)
    partition.note_due(ingest.earliest_due_ms)
    for key in part.told:
        partition.waiters.forget(key)
    for run_id in part.closed:
        partition.waiters.forget(run_id)
        partition.drafts.drop(run_id)


def history_page(partition: Partition, run_id: str, after_seq: int, bytes_max: int) -> HistoryPage:
    """Events as stored, as many as fit; read after the commit, so the page holds all that was said before it."""
    row = partition.rows.run(run_id)
    records: list[tuple[bytes, bytes]] = []
    size, last = 0, after_seq
    while size < bytes_max:
        chunk = partition.rows.events(run_id, after_seq=last, limit=200)
        for header, value in chunk:
            size += len(header) + len(value)
            if records and size > bytes_max:
                break
            records.append((header, value))
            last += 1
        if len(chunk) < 200:
            break
    more = row is not None and last < row.last_seq
    closed = row is not None and bool(row.closed_code)
    trouble = None if more or closed else partition.rows.trouble(run_id)
    return HistoryPage(
        run_id=run_id,  # type: ignore[arg-type]  # a RunId by construction
        records=tuple(records),
        next_after_seq=last,
        more=more,
        closed=closed,
        trouble=None if trouble is None else decode_trouble(trouble),
    )


def _stage_position(
    batch: Batch,
    part: PartitionBatch,
    partition: Partition,
    transactor: Transactor,
    around: Surroundings,
) -> Committed:
    """The position record and the offset that go into the transaction, even when the position has not moved."""
    meta = partition.meta
    inbox_offset, read_to, held = meta.inbox_offset, meta.read_to, tuple(sorted(meta.held))
    if part.taken is not None:
        inbox_offset = part.taken.inbox_offset
        read_to, held = part.taken.read_to, part.taken.held
    ordinal = meta.ordinal + 1
    owner = "" if part.hand_over else around.options.name
    caution = partition.caution
    suspects = still_suspected(caution, around)
    position = PositionRecord(
        inbox_offset=inbox_offset,
        ordinal=ordinal,
        owner=owner,
        transactional_ids=transactor.ids,
        takeovers=0 if part.hand_over else caution.takeovers,
        stepping=part.stepping[0] if part.stepping else "",
        stepping_too=part.stepping[1:],
        suspects=suspects,
        code=around.suspects.code if suspects or part.stepping else "",
        read_to=read_to,
        held=tuple([offset - inbox_offset for offset in held]),
    )
    part.position = position
    now_ms = around.clock.now_ms()
    header = EntryHeader(EntityKind.POSITION, 0, "", 0, 0, now_ms)
    batch.append(
        OutRecord(
            partition.history.topic,
            partition.number,
            keys.position_key(partition.number),
            encode(position),
            ((SF, pack(header)),),
        )
    )
    return Committed(inbox_offset, note(ordinal, owner, transactor.ids, now_ms))
