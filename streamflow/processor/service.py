"""The processor: turned by its driver, it takes what is ready, steps every run that it touches, and commits once.

    turn:  restore a slice -> poll -> records, timers, local results -> step -> one transaction -> wait

It decides nothing about runs (`stepper`), nothing about bytes (`wire`), and owns partitions through `ownership`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence

from streamflow.converter import DataConverter
from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.coroutine.interception import Intercept
from streamflow.coroutine.traits import NO_TRAITS, Traits
from streamflow.observability import get_logger
from streamflow.ports import (
    Aborted,
    Fenced,
    Log,
    NotGranted,
    Objects,
    OutcomeUnknown,
    Record,
    RecordRefused,
    Source,
    StoreCorrupted,
    Stores,
    StoreUnwritable,
    TopicPartition,
    Unavailable,
)
from streamflow.processor.commands.stepper import Stepper
from streamflow.processor.host.entropy import Entropy
from streamflow.processor.host.surroundings import Counters, Stepped, surroundings_of
from streamflow.processor.host.versions import NONE_CARRIED
from streamflow.processor.host.watchdog import suspect_of
from streamflow.processor.options import ProcessorOptions
from streamflow.processor.partitions.connections import Connections
from streamflow.processor.partitions.farewell import hand_over
from streamflow.processor.partitions.greeting import Greeter
from streamflow.processor.partitions.ownership import Ownership
from streamflow.processor.partitions.standby import standby_of
from streamflow.processor.state.batch import Batch
from streamflow.processor.state.layout import Expired
from streamflow.processor.state.partition import Partition
from streamflow.processor.state.work import runs_no_code
from streamflow.processor.steps.answering import forget_message
from streamflow.processor.turns.commit import commit
from streamflow.processor.turns.inbound import Groups, Inbound
from streamflow.processor.turns.local import LocalActivities
from streamflow.processor.turns.order import in_turn
from streamflow.processor.turns.pace import earliest_due_ms, room
from streamflow.processor.turns.speculation import Speculation
from streamflow.processor.turns.upkeep import Upkeep
from streamflow.topology import processor_group

log = get_logger("processor")

RETRY_MS = 100
"""How soon a call that the log could not answer is made again."""


class Processor:
    """Owns some partitions of one queue. A `Machine`: everything but `wake` runs on the driver's thread."""

    def __init__(
        self,
        log_: Log,
        stores: Stores,
        definitions: Mapping[str, WorkflowDefinition],
        converter: DataConverter,
        options: ProcessorOptions,
        local: LocalActivities | None = None,
        *,
        entropy: Callable[[], bytes] | None = None,
        intercept: Intercept | None = None,
        traits: Traits = NO_TRAITS,
        carried: Mapping[str, Mapping[str, WorkflowDefinition]] = NONE_CARRIED,
        header_codec: bool = False,
        stepped: Stepped | None = None,
        snapshots: Objects | None = None,
        archive: Objects | None = None,
    ) -> None:
        """``intercept`` makes what stands around the code of a run; ``header_codec``: the codec encodes headers too;
        ``snapshots`` is where copies of the stores are kept, ``archive`` where closed runs go before they are deleted."""
        self._log = log_
        self._stores = stores
        self._options = options
        self._group = processor_group(options.namespace, options.queue)
        self._around = surroundings_of(
            log_,
            definitions,
            converter,
            options,
            entropy or Entropy(),
            intercept=intercept,
            traits=traits,
            carried=carried,
            header_codec=header_codec,
            stepped=stepped,
        )
        self._inbound = Inbound(self._around)
        self._unnoted: set[int] = set()
        """Partitions that are ours, which the log does not know yet, or has not been told for long."""
        self._upkeep = Upkeep(
            log_,
            self._around,
            self._inbound,
            stores,
            snapshots=snapshots,
            archive=archive,
            prove=self._unnoted.add,
        )
        self.standby = standby_of(log_, stores, self._around, self._group, snapshots)
        """To be driven beside this one, if there is one."""
        self._owned = Ownership(
            log_,
            stores,
            self._around,
            self._group,
            hand_over=self._hand_over,
            troubled=self._inbound.retry_soon,
            snapshots=self._upkeep.loading,
            active=self._inbound.begin_with,
            standby=self.standby,
        )
        self._connections = Connections(
            log_,
            self._around,
            self._group,
            listener=self._owned,
            owned=self._owned.partitions,
            part_with_all=self._owned.part_with_all,
        )
        self._greeter = Greeter(self._around)
        self._locals = Speculation(
            log_, local, options, partition_of=self._inbound.partition_of, wake=self.wake
        )
        self._broken = False
        """Whether a turn ended in an error that nobody understands."""

    @property
    def counters(self) -> Counters:
        return self._around.counters

    @property
    def partitions(self) -> Mapping[int, Partition]:
        """The partitions owned now. For tests and metrics; not to be changed."""
        return self._owned.partitions

    @property
    def ready(self) -> bool:
        """Whether the group has said what is ours (perhaps nothing: some may wait for another to end), all of it is restored,
        and our clock can be trusted with timers."""
        skewed = self._inbound.behind_ms > self._options.skew_stop_ms
        given = self._owned.settled and not self._connections.fenced
        return given and self._owned.whole and not skewed

    def wake(self) -> None:
        """Ends the current wait. Callable from any thread."""
        self._connections.wake()

    # -- the machine ----------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Nothing yet: the first turn connects, so that a log that is not there yet is asked again."""

    def turn(self) -> int | None:
        try:
            source = self._connected()
            records = source.poll(room(self.partitions.values(), self._around), self._wait_ms())
        except Unavailable as error:
            log.warning("log_unavailable", reason=str(error))
            return RETRY_MS
        except StoreCorrupted as error:
            self._owned.rebuild(error)
            return self._next_turn_ms()
        try:
            self._work(records)
            self._upkeep.turn(self._owned.active)
        except StoreCorrupted as error:
            self._inbound.forget()
            self._owned.rebuild(error)
        except BaseException:
            # Nobody knows how far this batch got: nothing is said of it in the log, not even a farewell.
            self._broken = True
            raise
        return self._next_turn_ms()

    def _work(self, records: Sequence[Record]) -> None:
        self._inbound.careful = any(p.caution.careful for p in self._owned.active)
        waited = self._inbound.withheld.begin_turn()
        groups = self._inbound.sort(records, self.partitions, ended=self._locals.waiting)
        self._inbound.add_due(groups, self.partitions)
        for ended in (*waited, *self._locals.take()):
            if not self._inbound.add_local(groups, ended, self.partitions):
                self._locals.give_back(ended)
        expired = self._inbound.expired(self._owned.active)
        if groups or self._inbound.has_input or expired or self._inbound.refusals.probed:
            self._run_batch(groups, expired)

    def _connected(self) -> Source:
        """Everything that must be in order before input is taken: connections, producers, stores."""
        self._around.refresh()
        self._connections.open()
        source = self._connections.source
        self._owned.restore_slice(source, self._connections.transactor)
        self._greeter.turn(self._owned.take_left_behind(), self._connections.producer)
        self._unnoted.update(self._owned.take_unnoted())
        if self._unnoted:
            self._note_ownership()
        return source

    def close(self) -> None:
        """Hands the partitions over: a successor need fence nobody, and finds everything committed."""
        if not self._broken:
            self._owned.part_with_all()
        self._connections.leave()
        self._owned.close()
        for part in (self._upkeep, self._connections, self._around):
            part.close()
        self._stores.close()

    # -- the batch ------------------------------------------------------------------------------------------------

    def _run_batch(self, groups: Groups, expired: Mapping[int, list[Expired]]) -> None:
        batch = Batch()
        self._attempt(batch, lambda: self._fill(batch, groups, expired))

    def _note_ownership(self) -> None:
        """Before any code runs there: should it end the process, the successor knows that there was one."""
        batch = Batch()
        self._unnoted &= {partition.number for partition in self._owned.active}
        for number in self._unnoted:
            batch.part(number)
        self._attempt(batch, lambda: None)

    def _note_steps(self, batch: Batch, groups: Groups) -> None:
        """Where steps end the process, whose are made next is in the log before they are made, of all partitions alike."""
        note = Batch()
        for (number, workflow_id), works in groups.items():
            aside = self._inbound.refusals.of(number, workflow_id)
            if aside is None and not all(runs_no_code(work.command) for work in works):
                note.part(number).stepping += (suspect_of(workflow_id),)
        if note.parts:
            self._commit(note)

    def _attempt(self, batch: Batch, fill: Callable[[], None]) -> None:
        counters = self._around.counters
        try:
            fill()
            if batch.parts:
                self._commit(batch)
        except (Aborted, Unavailable) as error:
            counters.aborted += 1
            log.warning("transaction_aborted", reason=str(error))
            if isinstance(error, NotGranted):
                self._inbound.withheld.note(batch, error.topics)
            self._rewind(batch)
        except RecordRefused as error:
            counters.aborted += 1
            self._inbound.refusals.refused(batch, error)
            self._rewind(batch)
            if self._log.threaded and self._inbound.refusals.wait_ms:
                threading.Event().wait(self._inbound.refusals.wait_ms / 1_000)
        except OutcomeUnknown as error:
            counters.unknown += 1
            log.warning("outcome_unknown", reason=str(error))
            self._take_again()
        except StoreUnwritable as error:
            self._inbound.refusals.dropped()
            self._owned.shut(error)
        except Fenced as error:
            counters.fenced += 1
            log.warning("fenced", reason=str(error))
            self._were_fenced(self.partitions.keys())
        else:
            self._committed(batch)

    def _fill(self, batch: Batch, groups: Groups, expired: Mapping[int, list[Expired]]) -> None:
        """Steps everything that came, in memory. What fails in the middle has the whole batch in it, to be given back."""
        self._inbound.move_to(batch, self.partitions)
        for (number, _), works in groups.items():
            batch.take(number, works)
        for number in self._inbound.refusals.probed & self.partitions.keys():
            batch.part(number)
        for number, messages in expired.items():
            for message in messages:
                forget_message(batch, number, message, self._around)
        if self._inbound.careful:
            self._note_steps(batch, groups)
        steppers: dict[int, Stepper] = {}
        for (number, workflow_id), works in in_turn(groups):
            stepper = steppers.get(number)
            if stepper is None:
                stepper = steppers[number] = Stepper(self._around, self.partitions[number], batch)
            refused = self._inbound.refusals.of(number, workflow_id)
            if refused is None:
                stepper.step(workflow_id, works)
            else:
                stepper.put_aside(workflow_id, works, refused.message, times=refused.times)
        noted = {workflow_id for _, workflow_id in groups} if self._inbound.careful else None
        self._locals.run(batch, steppers, noted)
        for stepper in steppers.values():
            stepper.seal()

    def _commit(self, batch: Batch) -> None:
        self._connections.settle_doubt()
        commit(
            batch,
            self.partitions,
            transactor=self._connections.transactor,
            source=self._connections.source,
            producer=self._connections.producer,
            around=self._around,
        )

    def _committed(self, batch: Batch) -> None:
        self._locals.cancel(batch)
        self._inbound.committed(batch)
        self._unnoted.difference_update(batch.parts)
        most = self._options.runs_cached_max
        room = max(1, most // max(1, len(self.partitions))) if most else 0
        for number in batch.parts:
            self.partitions[number].drafts.shrink(room)

    def _rewind(self, batch: Batch) -> None:
        """Nothing of the batch happened: forget what it changed, and read its input again."""
        for ended in batch.locals_used:
            self._locals.give_back(ended)
        for number, run_id in batch.retries:
            self._inbound.retry_soon(number, run_id)
        offsets: dict[TopicPartition, int] = {}
        for part in batch.parts.values():
            partition = self.partitions[part.number]
            for run_id in part.drafts:
                partition.drafts.drop(run_id)
            partition.held.clear()
            offsets[partition.inbox] = partition.meta.inbox_offset
            partition.earliest_due_ms = partition.rows.first_due_ms()
        try:
            self._connections.source.start_reading(offsets)
        except Unavailable as error:
            # Reading on from where the source stands would pass over what was dropped: these begin anew.
            log.warning("rewind_waits", reason=str(error))
            for inbox in offsets:
                self._owned.take(inbox)

    def _take_again(self) -> None:
        """The transaction may have happened: only the log knows. Restore every partition from it."""
        self._connections.doubt()
        for partition in list(self.partitions.values()):
            self._owned.take(partition.inbox)

    def _were_fenced(self, had: Collection[int]) -> None:
        """Somebody else commits for what we had."""
        self._connections.were_fenced(frozenset(had))
        self._owned.drop_all()

    def _hand_over(self, numbers: Sequence[int]) -> None:
        destinations = self._around.destinations
        if not hand_over(numbers, self.partitions, self._commit, self._connections, destinations):
            self._were_fenced(self.partitions.keys() - set(numbers))

    # -- time -----------------------------------------------------------------------------------------------------

    def _wait_ms(self) -> int:
        """How long a poll may wait: not at all while there is other work, and not beyond what is due."""
        if self._busy():
            return 0
        if self._locals.outstanding and self._log.threaded:
            return 1
        idle_ms = self._idle_ms()
        return self._options.poll_ms if idle_ms is None else min(self._options.poll_ms, idle_ms)

    def _next_turn_ms(self) -> int | None:
        if self._inbound.refusals.wait_ms:
            return self._inbound.refusals.wait_ms
        if self._busy():
            return 0
        if self._connections.fenced or not self._owned.whole:
            return RETRY_MS
        idle_ms = self._idle_ms()
        return None if idle_ms is None else max(1, idle_ms)

    def _busy(self) -> bool:
        has_work = self._inbound.has_work(self.partitions.values())
        return has_work or self._owned.restoring or self._locals.waiting

    def _idle_ms(self) -> int | None:
        """How long until there is something to do though nothing arrives; ``None`` is for ever."""
        waits = [self._greeter.wait_ms, self._inbound.withheld.wait_ms]
        if due_ms := earliest_due_ms(self._owned.active, self._inbound, self._around):
            waits.append(max(0, due_ms - self._around.clock.now_ms()))
        return min((wait_ms for wait_ms in waits if wait_ms is not None), default=None)
