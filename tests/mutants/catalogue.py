"""The planted bugs, in the order of a record's way (docs/ARCHITECTURE.md)."""

from __future__ import annotations

from typing import Final

from tests.mutants.decided import DECIDED
from tests.mutants.failing import FAILING
from tests.mutants.mutant import Mutant
from tests.mutants.state import STATE

# -- records in -----------------------------------------------------------------------------------------------------

_IN: Final = (
    Mutant(
        "a record is passed over",
        "processor/turns/inbound.py",
        "read_to[partition.number] = record.offset + 1",
        "read_to[partition.number] = record.offset + 2",
    ),
    Mutant(
        "records of a partition that is being restored are taken",
        "processor/turns/inbound.py",
        "if owned is not None and owned.state is State.ACTIVE:\n                owned.next_offset",
        "if owned is not None:\n                owned.next_offset",
    ),
    Mutant(
        "records held over are lost",
        "processor/turns/inbound.py",
        "                partition.held.append(record)\n                continue\n            read =",
        "                continue\n            read =",
        ("tests/unit/processor/test_batches.py",),
    ),
    Mutant(
        "a question about tasks overtakes their ends",
        "processor/turns/inbound.py",
        "if self._asks_of_held(partition, read):",
        "if False:",
        ("tests/unit/processor/test_overtaking.py",),
    ),
    Mutant(
        "others take turn after turn, and what is held none",
        "processor/turns/inbound.py",
        "frozenset() if self.others_first else served_long",
        "served_long",
        ("tests/unit/processor/test_overtaking.py",),
        safety=False,
    ),
    Mutant(
        "what was overtaken counts as taken",
        "processor/turns/commit.py",
        "held=tuple([offset - inbox_offset for offset in held]),",
        "held=(),",
        ("tests/unit/processor/test_overtaking.py",),
    ),
    Mutant(
        "what was overtaken and not read again yet is forgotten",
        "processor/turns/inbound.py",
        "if partition.next_offset < partition.meta.read_to:",
        "if False:",
        ("tests/unit/processor/test_overtaking.py",),
    ),
    Mutant(
        "what was overtaken is forgotten by who takes over",
        "processor/partitions/restore.py",
        "            meta.come_to(position)\n",
        "            meta.come_to(position)\n            meta.held = frozenset()\n",
        ("tests/unit/processor/test_overtaking.py",),
    ),
    Mutant(
        "a step that was full is not gone on with",
        "engine/apply.py",
        "    run.goes_on = event.goes_on\n",
        "",
        ("tests/unit/processor/test_full_steps.py",),
    ),
    Mutant(
        "a misplaced record is dropped",
        "processor/turns/inbound.py",
        "self._append(self.refusals.forwarded(record, home))",
        "self.refusals.forwarded(record, home)",
        ("tests/unit/processor/test_commands.py",),
    ),
    Mutant(
        "a local result is taken by a partition that is being restored",
        "processor/turns/inbound.py",
        "if owned is not None and owned.state is State.ACTIVE:\n            if self.withheld",
        "if owned is not None:\n            if self.withheld",
    ),
    Mutant(
        "what is due is looked for once",
        "processor/turns/inbound.py",
        "now_ms if len(found) == bound else partition.rows.first_due_ms(after_ms=now_ms)",
        "0",
        ("tests/unit/processor/test_parts.py",),
        safety=False,
    ),
    Mutant(
        "timers fire by a clock that is behind",
        "processor/turns/inbound.py",
        "if self.behind_ms > self._around.options.skew_stop_ms:\n            return",
        "if False:\n            return",
        ("tests/unit/processor",),
    ),
)

# -- committed ------------------------------------------------------------------------------------------------------

COMMITTED: Final = (
    Mutant(
        "stored before the commit",
        "processor/turns/commit.py",
        """    transactor.commit(batch.records, offsets, source)
    around.counters.transactions += 1
    now_ms = around.clock.now_ms()
    for part in batch.parts.values():
        # A commit proves that nobody else wrote meanwhile: the store is as far as its log.
        partitions[part.number].meta.followed_ms = now_ms
        store(part, partitions[part.number])
""",
        """    now_ms = around.clock.now_ms()
    for part in batch.parts.values():
        partitions[part.number].meta.followed_ms = now_ms
        store(part, partitions[part.number])
    transactor.commit(batch.records, offsets, source)
    around.counters.transactions += 1
    for part in batch.parts.values():
""",
    ),
    Mutant(
        "answered before the commit",
        "processor/turns/commit.py",
        "    transactor.commit(batch.records, offsets, source)\n",
        """    for record in batch.answers:
        _tell(producer, record)
    transactor.commit(batch.records, offsets, source)
""",
        ("tests/unit/processor/test_batches.py",),
    ),
    Mutant(
        "the store's position stays behind",
        "processor/turns/commit.py",
        "        meta.come_to(part.position)\n    ingest.finish(meta)",
        "        pass\n    ingest.finish(meta)",
    ),
    Mutant(
        "the committed offset runs ahead",
        "processor/turns/commit.py",
        "return Committed(inbox_offset, note(ordinal, owner, transactor.ids, now_ms))",
        "return Committed(inbox_offset + 1, note(ordinal, owner, transactor.ids, now_ms))",
    ),
    Mutant(
        "positions are not counted",
        "processor/turns/commit.py",
        "    meta.ordinal += 1\n",
        "",
    ),
    Mutant(
        "drafts are kept after an abort",
        "processor/service.py",
        "                partition.drafts.drop(run_id)\n            partition.held.clear()",
        "                pass\n            partition.held.clear()",
    ),
    Mutant(
        "input is not read again after an abort",
        "processor/service.py",
        "            self._connections.source.start_reading(offsets)\n        except Unavailable as error:\n"
        "            # Reading on",
        "            pass\n        except Unavailable as error:\n            # Reading on",
    ),
    Mutant(
        "an unknown outcome is an abort",
        "processor/service.py",
        '            log.warning("outcome_unknown", reason=str(error))\n            self._take_again()',
        '            log.warning("outcome_unknown", reason=str(error))\n            self._rewind(batch)',
    ),
    Mutant(
        "an unknown outcome leaves the producers as they are",
        "processor/partitions/connections.py",
        '        """A transaction of ours may or may not have happened."""\n        self._doubtful = True',
        '        """A transaction of ours may or may not have happened."""',
    ),
    Mutant(
        "a transaction begins before the last is decided",
        "processor/partitions/connections.py",
        "            self.transactor.reopen()\n            self._doubtful = False",
        "            self._doubtful = False",
    ),
    Mutant(
        "a fence is an abort",
        "processor/service.py",
        "            self._were_fenced(self.partitions.keys())\n        else:",
        "            self._rewind(batch)\n        else:",
        ("tests/unit/processor/test_found_by_simulation.py",),
    ),
    Mutant(
        "a local result is lost with an abort",
        "processor/service.py",
        "        for ended in batch.locals_used:\n            self._locals.give_back(ended)\n        for number",
        "        for number",
        ("tests/unit/processor/test_speculation.py",),
        safety=False,
    ),
    Mutant(
        "a local activity is begun again by the batch that takes its end",
        "processor/turns/speculation.py",
        " and (key, task.attempt) not in ended",
        "",
        ("tests/unit/processor/test_speculation.py",),
    ),
)

# -- restored -------------------------------------------------------------------------------------------------------

_RESTORED: Final = (
    Mutant(
        "a lost partition is handed over",
        "processor/partitions/ownership.py",
        "        for inbox in partitions:\n            self.drop(inbox.partition)",
        "        self.part_with([inbox.partition for inbox in partitions])",
        ("tests/unit/processor/test_parts.py",),
    ),
    Mutant(
        "a lost partition is kept",
        "processor/partitions/ownership.py",
        "        for inbox in partitions:\n            self.drop(inbox.partition)",
        "        del partitions",
    ),
    Mutant(
        "a revoked partition is kept",
        "processor/partitions/ownership.py",
        "self.part_with([inbox.partition for inbox in partitions])",
        "del partitions",
    ),
    Mutant(
        "a partition is taken over what was there",
        "processor/partitions/ownership.py",
        '        """Begins anew with a partition, whatever was there before."""\n        self.drop(inbox.partition)',
        '        """Begins anew with a partition, whatever was there before."""\n'
        "        if inbox.partition in self.partitions:\n            return",
    ),
    Mutant(
        "a dead owner's transaction is left open",
        "processor/partitions/predecessors.py",
        "        transactor.fence([id for note in dead.values() for id in note.transactional_ids])",
        "        pass",
        ("tests/unit/processor/test_predecessors.py",),
        safety=False,
    ),
    Mutant(
        "the history is not read",
        "processor/partitions/restore.py",
        "    for records in fetched:\n"
        "        ingest(partition, records, around)\n"
        "        if records:\n            pace.at(records[-1].offset + 1)\n        yield True\n",
        "    yield True\n",
    ),
    Mutant(
        "a store with a transaction that the log lost is kept",
        "processor/partitions/restore.py",
        "    if meta.ordinal > meta.seen_ordinal:",
        "    if False:",
        ("tests/unit/processor/test_restore.py",),
    ),
    Mutant(
        "a store that is too old is kept",
        "processor/partitions/restore.py",
        "if age_ms > STORE_AGE_MS_MAX and meta.history_offset < end:",
        "if False:",
        ("tests/unit/processor/test_restore.py",),
    ),
    Mutant(
        "the position record is not heeded",
        "processor/partitions/restore.py",
        "            meta.come_to(position)\n",
        "            pass\n",
    ),
    Mutant(
        "the inbox is read on from one record later",
        "processor/partitions/ownership.py",
        "offset = max(partition.meta.inbox_offset, first)",
        "offset = max(partition.meta.inbox_offset + 1, first)",
    ),
    Mutant(
        "a damaged store is kept",
        "processor/partitions/ownership.py",
        "            self._standby.give_up(number)\n        self._stores.drop(str(number))",
        "            self._standby.give_up(number)",
        safety=False,
    ),
    Mutant(
        "the end of a run is not stored",
        "processor/state/rows.py",
        "            run.closed_code = header.code",
        "            pass",
        ("tests/unit/processor/test_commands.py",),
    ),
    Mutant(
        "a broken chain of events is no alarm",
        "processor/state/rows.py",
        "if header.seq != run.last_seq + 1 or header.previous_hash != run.last_hash:",
        "if False:",
        ("tests/unit/processor",),
    ),
    Mutant(
        "what is due is not stored",
        "processor/state/rows.py",
        '                if before != due_ms:\n                    put(due_row(due_ms, run_id), b"")',
        "                pass",
        safety=False,
    ),
)

# -- stores and logs ------------------------------------------------------------------------------------------------

_ADAPTERS: Final = (
    Mutant(
        "an iterator's status is not asked",
        "rocksdb/store.py",
        "            # A damaged file ends the iteration like the end of the rows does; only the status tells.\n"
        "            iterator.status()",
        "            pass",
        ("tests/unit/rocksdb",),
    ),
    Mutant(
        "a store of another cluster is kept",
        "rocksdb/stores.py",
        "            if store.is_dir():\n                shutil.rmtree(store)",
        "            pass",
        ("tests/unit/rocksdb",),
    ),
)

# -- workers and clients --------------------------------------------------------------------------------------------

_EDGES: Final = (
    Mutant(
        "tasks are finished when they are taken",
        "worker/taking/window.py",
        "        return next(iter(self._unfinished), self._position)",
        "        return self._position",
        ("tests/unit/worker",),
    ),
    Mutant(
        "a task is finished before its report is in the log",
        "worker/taking/tasks.py",
        "        self._sender.report(delivery, outcome, lambda: self._durable.append(delivery))\n",
        "        self._sender.report(delivery, outcome, lambda: None)\n        self._durable.append(delivery)\n",
    ),
    Mutant(
        "a redelivered task is made without being asked about",
        "worker/taking/tasks.py",
        "is_doubtful = delivery.redelivered or delivery.sure_until_ms < now_ms",
        "is_doubtful = delivery.sure_until_ms < now_ms",
    ),
    Mutant(
        "a task that is made once only begins before it is known",
        "worker/taking/tasks.py",
        "if delivery.task.retry_policy.maximum_attempts == 1:",
        "if False:",
        ("tests/unit/worker",),
    ),
    Mutant(
        "a client sends a message again as a new one",
        "client/log/conversation.py",
        "message_id=MessageId(pending.message_id),",
        'message_id=MessageId(f"{pending.message_id}/{pending.sends}"),',
    ),
    Mutant(
        "a client never sends again",
        "client/log/requests.py",
        "        if now >= self.send_at:\n            return Due.SEND_AGAIN\n",
        "",
        ("tests/unit/client/test_log_transport.py",),
        safety=False,
    ),
)

MUTANTS: Final = (*_IN, *DECIDED, *COMMITTED, *_RESTORED, *_ADAPTERS, *_EDGES, *STATE, *FAILING)
