"""What comes into a turn: inbox records sorted by workflow, runs that are due, local results, and what must be refused.

A record that cannot be used never stops its partition: it is forwarded, or kept as a dead letter with the reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from streamflow.model.answers import Reason, Rejection
from streamflow.model.commands import (
    ConfirmTasks,
    FireDue,
    LocalActivityEnded,
)
from streamflow.model.ids import RunId, WorkflowId
from streamflow.observability import get_logger
from streamflow.ports import OutRecord, Record
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.host.watchdog import suspect_of
from streamflow.processor.state.batch import BYTES_MAX, Batch, Taken
from streamflow.processor.state.caution import TOGETHER_MAX
from streamflow.processor.state.layout import Expired
from streamflow.processor.state.partition import Partition, State
from streamflow.processor.state.work import Work, runs_no_code
from streamflow.processor.turns.fairness import Name, most_of_one, others_came, served_long
from streamflow.processor.turns.ramp import WHEN_COLD, Ramp
from streamflow.processor.turns.refusals import Refusals
from streamflow.processor.turns.withheld import Withheld
from streamflow.topology import partition_for
from streamflow.wire.envelope import REPLY_TO, parse_reply_to, text_headers
from streamflow.wire.errors import Undecodable
from streamflow.wire.inbox import (
    decode_inbox,
    may_be_forwarded,
    reply_record,
    was_forwarded,
)

log = get_logger("processor")

RETRIES_PER_TURN_MAX = 20
"""Stuck runs that are tried at once: each may use up a whole step limit."""

FORGET_EVERY_MS = 60_000

Groups = dict[tuple[int, str], list[Work]]


class Inbound:
    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._taken: dict[int, Taken] = {}
        self._records: list[OutRecord] = []
        self._answers: list[OutRecord] = []
        self._retry: dict[str, int] = {}
        self._unfinished: dict[str, int] = {}
        """Runs whose code has still to run (and their partitions): they are due, but behind all that was due before."""
        self.refusals = Refusals(around)
        self.withheld = Withheld(around)
        self.warming = Ramp(around.options.batch_records_max)
        self.careful = False
        """Whether a turn takes few commands only of those that may run code, and suspects alone: a step may end the process."""
        self._stepping = False
        """Whether a command that may run code was taken in this turn."""
        self._turns = 0
        self._served: frozenset[Name] = frozenset()
        """Whom the last turn served, if it was a long one."""
        self.others_first = False
        """Whether this turn is short, and only for those whom the last one did not serve: the others and what is due
        wait for the next."""
        self._left = 0
        """How many more commands this turn may take."""
        self._log_ms = 0
        """The log's time, as its last records show it."""

    def has_work(self, partitions: Iterable[Partition]) -> bool:
        """Whether there is something to do at once though nothing arrives."""
        return bool(self._retry) or any(
            not self.withheld.holds((partition.number, record.key or b""))
            for partition in partitions
            for record in partition.held
        )

    @property
    def behind_ms(self) -> int:
        """By how much this machine's clock is certainly behind the log's."""
        return max(0, self._log_ms - self._around.clock.now_ms())

    @property
    def has_input(self) -> bool:
        """Whether records were taken, be it for no run."""
        return bool(self._taken)

    @property
    def may_take(self) -> bool:
        """Whether there is room for more in this turn."""
        return self._left > 0

    @property
    def _works_max(self) -> int:
        most = min(self.refusals.ramp.works_max, self.warming.works_max)
        return min(most, TOGETHER_MAX) if self.careful else most

    def begin_with(self, number: int) -> None:
        """A partition became active."""
        self.refusals.forget(number)
        self.warming.begin(WHEN_COLD)

    # -- records --------------------------------------------------------------------------------------------------

    def sort(
        self,
        records: Sequence[Record],
        partitions: Mapping[int, Partition],
        *,
        ended: bool = False,
    ) -> Groups:
        """The commands of active partitions, by workflow, each in its order. ``ended``: local activities have."""
        groups: Groups = {}
        self._left, self._stepping = self._works_max, False
        if records:
            self._log_ms = max(record.timestamp_ms for record in records)
        room, most = BYTES_MAX, most_of_one(partitions.values(), self._around)
        served, self._served = self._served, frozenset()
        self.others_first = others_came(served, records, partitions, ended=ended)
        counts: Counter[Name] = Counter()
        behind: set[Name] = set()
        read_to: dict[int, int] = {}
        for partition, record in self._in_order(records, partitions):
            if partition.meta.has_taken(record.offset):
                continue  # read again after a rewind, and already folded
            name = partition.number, record.key or b""
            waits = name in behind or self.withheld.holds(name)
            waits = waits or (self.others_first and name in served)
            if waits or room <= 0 or self._left <= 0 or counts[name] >= most:
                partition.held.append(record)
                continue
            read = self._read(record)
            if self._asks_of_held(partition, read):
                partition.held.append(record)
                continue
            if not (self.careful and isinstance(read, Work)):
                self._left -= 1
            elif not runs_no_code(read.command) and not self._admits(read.command.workflow_id):
                behind.add(name)
                partition.held.append(record)
                continue
            counts[name] += 1
            room -= len(record.value or b"")
            read_to[partition.number] = record.offset + 1
            self._sort_one(record, read, groups)
        for number, end in read_to.items():
            partition = partitions[number]
            # What was held may be all that was taken: others had gone further.
            end = max(end, partition.meta.read_to)
            held = [record.offset for record in partition.held if record.offset < end]
            if partition.next_offset < partition.meta.read_to:
                # After a start or a rewind: not all of it was read again yet.
                held += sorted(o for o in partition.meta.held if o >= partition.next_offset)
            self._taken[number] = Taken(end, tuple(held))
        return groups

    def _asks_of_held(self, partition: Partition, read: Work | Undecodable) -> bool:
        """Whether it asks of other workflows' tasks, and what may have ended them is among what is held, though not for a
        missing grant: that may be missing for days."""
        if not (isinstance(read, Work) and isinstance(read.command, ConfirmTasks)):
            return False
        named = {workflow_id.encode() for workflow_id, _ in read.command.tasks}
        held = named.intersection(record.key or b"" for record in partition.held)
        return any(not self.withheld.holds((partition.number, name)) for name in held)

    def _in_order(
        self, records: Sequence[Record], partitions: Mapping[int, Partition]
    ) -> list[tuple[Partition, Record]]:
        """What was held over comes before what was read since."""
        ordered: list[tuple[Partition, Record]] = []
        in_turn = list(partitions.values())
        if self.careful and in_turn:
            # Who is first is all that is served.
            self._turns += 1
            first = self._turns % len(in_turn)
            in_turn = in_turn[first:] + in_turn[:first]
        for partition in in_turn:
            held, partition.held = partition.held, []
            if partition.state is State.ACTIVE:
                ordered += [(partition, record) for record in held]
        for record in records:
            owned = partitions.get(record.partition)
            if owned is not None and owned.state is State.ACTIVE:
                owned.next_offset = record.offset + 1
                ordered.append((owned, record))
        return ordered

    def _read(self, record: Record) -> Work | Undecodable:
        try:
            received = decode_inbox(record)
        except Undecodable as error:
            return error
        return Work(received.command, received.envelope, record)

    def _sort_one(self, record: Record, read: Work | Undecodable, groups: Groups) -> None:
        if isinstance(read, Undecodable):
            self._undecodable(record, read)
            return
        workflow_id = read.command.workflow_id
        home = partition_for(workflow_id, self._around.options.partitions)
        if home != record.partition:
            self._misplaced(record, home)
            return
        groups.setdefault((home, workflow_id), []).append(read)

    def _undecodable(self, record: Record, error: Undecodable) -> None:
        """Answered where an answer was asked for, and kept in any case."""
        to = parse_reply_to(text_headers(record.headers).get(REPLY_TO, ""))
        if to is not None and self._around.destinations.may_reply(to):
            rejection = Rejection(reason=Reason.INVALID_ARGUMENT, message=error.message)
            self._answers.append(reply_record(to, rejection))
        self._dead_letter(record, error.stage, error.message)

    def _misplaced(self, record: Record, home: int) -> None:
        """Forwarded once; a second time means that two of us disagree about placement."""
        found = f"found it on {record.partition}"
        if was_forwarded(record):
            message = f"Expected a forwarded record on partition {home}, {found}"
            self._dead_letter(record, "placement", message)
            return
        if not may_be_forwarded(record):
            message = f"Expected the record on partition {home}, {found}, too large to forward"
            self._dead_letter(record, "placement", message)
            return
        self._around.counters.forwarded += 1
        self._append(self.refusals.forwarded(record, home))

    def _dead_letter(self, record: Record, stage: str, message: str) -> None:
        self._append(self.refusals.dead_letter(record, stage, message))

    def _append(self, record: OutRecord | None) -> None:
        if record is not None:
            self._records.append(record)

    # -- what the processor itself has to say -----------------------------------------------------------------------

    def add_due(self, groups: Groups, partitions: Mapping[int, Partition]) -> None:
        """Runs that are due, earliest first, bounded; none while our clock is not to be trusted, or in a turn for others."""
        if self.others_first:
            return
        self._add_retries(groups, partitions)
        if self.behind_ms > self._around.options.skew_stop_ms:
            return
        added = self._add_unfinished(groups, partitions)
        now_ms = self._around.clock.now_ms()
        for partition in partitions.values():
            due_ms = partition.earliest_due_ms
            if partition.state is State.ACTIVE and due_ms and due_ms <= now_ms:
                self._scan_due(groups, partition, now_ms, added)

    def _add_retries(self, groups: Groups, partitions: Mapping[int, Partition]) -> None:
        """What is of a partition that went meanwhile is forgotten: whoever has it now tries again by itself."""
        for run_id in list(islice(self._retry, min(RETRIES_PER_TURN_MAX, max(0, self._left)))):
            owned = partitions.get(number := self._retry.pop(run_id))
            if owned is None or owned.state is not State.ACTIVE:
                continue
            if not self._fire(groups, owned, run_id, retry=True):
                self._retry[run_id] = number

    def _add_unfinished(
        self, groups: Groups, partitions: Mapping[int, Partition]
    ) -> frozenset[str]:
        """Those that the last batch left: who was just stepped does not wait until all older timers have fired."""
        unfinished, self._unfinished = self._unfinished, {}
        added: set[str] = set()
        for run_id, number in islice(unfinished.items(), max(0, self._left)):
            owned = partitions.get(number)
            if owned is not None and owned.state is State.ACTIVE:
                added.add(run_id)
                self._fire(groups, owned, run_id)
        return frozenset(added)

    def _scan_due(
        self, groups: Groups, partition: Partition, now_ms: int, added: frozenset[str]
    ) -> None:
        bound = min(self._around.options.due_per_turn_max, self._left)
        if bound <= 0:
            return
        found = partition.rows.due(now_ms, bound)
        partition.earliest_due_ms = (
            now_ms if len(found) == bound else partition.rows.first_due_ms(after_ms=now_ms)
        )
        for _, run_id in found:
            if run_id not in added and not self._fire(groups, partition, run_id):
                partition.earliest_due_ms = now_ms

    def _fire(
        self, groups: Groups, partition: Partition, run_id: str, *, retry: bool = False
    ) -> bool:
        """False if it has to wait for another turn."""
        row = partition.rows.run(run_id)
        if row is None:
            return True
        if self.withheld.holds((partition.number, row.workflow_id.encode())):
            again_ms = self._around.clock.now_ms() + (self.withheld.wait_ms or 0)
            partition.earliest_due_ms = min(partition.earliest_due_ms or again_ms, again_ms)
            return True
        if not self._admits(row.workflow_id):
            return False
        command = FireDue(
            workflow_id=WorkflowId(row.workflow_id), run_id=RunId(run_id), retry=retry
        )
        groups.setdefault((partition.number, row.workflow_id), []).append(Work(command))
        return True

    def _admits(self, workflow_id: str) -> bool:
        """Takes one more command into the turn, if there is room. Where steps end the process, suspects step alone."""
        if self._left <= 0:
            return False
        if self.careful and self._around.suspects.count(suspect_of(workflow_id)):
            if self._stepping:
                return False
            self._left = 1
        self._left -= 1
        self._stepping = True
        return True

    def expired(self, partitions: Iterable[Partition]) -> dict[int, list[Expired]]:
        """Messages that need not be remembered any more, by partition; bounded, and looked for now and then."""
        if self.others_first or not self.may_take:
            return {}
        now_ms = self._around.clock.now_ms()
        bound = self._around.options.tombstones_per_turn_max
        found: dict[int, list[Expired]] = {}
        for partition in partitions:
            if partition.forget_at_ms > now_ms:
                continue
            expired = partition.rows.expired_dedups(now_ms, bound)
            partition.forget_at_ms = now_ms if len(expired) == bound else now_ms + FORGET_EVERY_MS
            if expired:
                found[partition.number] = expired
        return found

    def add_local(
        self, groups: Groups, ended: LocalActivityEnded, partitions: Mapping[int, Partition]
    ) -> bool:
        """False if it has to wait for another turn.

        Of a partition that is being restored it is dropped: who owns it now begins the activity again.
        """
        number = self.partition_of(ended.workflow_id)
        owned = partitions.get(number)
        if owned is not None and owned.state is State.ACTIVE:
            if self.withheld.holds((number, ended.workflow_id.encode())):
                self.withheld.keep(ended)
                return True
            if not self._admits(ended.workflow_id):
                return False
            groups.setdefault((number, ended.workflow_id), []).append(Work(ended))
        return True

    def retry_soon(self, number: int, run_id: str) -> None:
        self._retry[run_id] = number

    def partition_of(self, workflow_id: str) -> int:
        return partition_for(workflow_id, self._around.options.partitions)

    # -- the batch's fate -------------------------------------------------------------------------------------------

    def move_to(self, batch: Batch, partitions: Iterable[int]) -> None:
        """Gives the batch the offsets that it will commit, and the records that need no run."""
        owned = set(partitions)
        for number, taken in self._taken.items():
            if number in owned:
                batch.part(number).taken = taken
        batch.works += len(self._records)
        for record in self._records:
            batch.append(record)
        batch.answers.extend(self._answers)
        self._taken, self._records, self._answers = {}, [], []

    def committed(self, batch: Batch) -> None:
        self.refusals.committed(batch)
        if batch.works:
            self.warming.committed()
        # Never two turns for others in a row, however much these write: who waits for one does not wait for another.
        self._served = frozenset() if self.others_first else served_long(batch, self._around)
        for part in batch.parts.values():
            self._unfinished.update(dict.fromkeys(part.unfinished, part.number))

    def forget(self) -> None:
        """What was sorted for a batch that never came to be."""
        self.refusals.dropped()
        self._taken, self._records, self._answers = {}, [], []
