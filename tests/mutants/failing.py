"""Planted bugs in what becomes of others where something fails: a call, a transaction, a store, a grant, a partition that goes."""

from __future__ import annotations

from typing import Final

from tests.mutants.mutant import Mutant

_MADE_ONCE: Final = ("tests/unit/worker/test_made_once.py",)

FAILING: Final = (
    Mutant(
        "what a failed batch had not come to is forgotten",
        "processor/service.py",
        "            batch.take(number, works)\n",
        "            batch.works += len(works)\n",
        ("tests/unit/processor/test_failing_calls.py",),
    ),
    Mutant(
        "a run is deleted before its end is recorded",
        "processor/commands/retention.py",
        "    if recorder.changed:\n",
        "    if False:\n",
        ("tests/unit/processor/test_retention.py",),
    ),
    Mutant(
        "an older run is not found once the latest one is deleted",
        "processor/state/rows.py",
        "            self._latest_is(run.workflow_id, before)\n",
        '            self._latest_is(run.workflow_id, "")\n',
        ("tests/unit/processor/test_retention.py",),
    ),
    Mutant(
        "a task that was announced is done with as its partition goes",
        "worker/taking/tasks.py",
        "if take and delivery.taken and delivery in self._deliveries:",
        "if take and delivery.taken:",
        _MADE_ONCE,
    ),
    Mutant(
        "a commit that failed is believed",
        "worker/taking/tasks.py",
        "                delivery.partition.window.reopen(delivery.offset, times)\n",
        "                pass\n",
        _MADE_ONCE,
    ),
    Mutant(
        "a suspicion outlives its partition",
        "processor/turns/inbound.py",
        "        self.refusals.forget(number)\n",
        "",
        ("tests/unit/processor/test_refusals.py",),
        safety=False,
    ),
    Mutant(
        "greetings go round without end",
        "processor/partitions/greeting.py",
        "        if self.wait_ms == 0:\n",
        "        if self._taken:\n",
        ("tests/unit/processor/test_greeting.py",),
        safety=False,
    ),
    Mutant(
        "damage keeps an owner from leaving",
        "processor/partitions/farewell.py",
        "except (LogError, StoreCorrupted, StoreUnwritable)",
        "except (LogError, StoreUnwritable)",
        ("tests/unit/processor/test_restore.py",),
        safety=False,
    ),
    Mutant(
        "who may not answer stops everybody",
        "processor/turns/withheld.py",
        "            if record.topic in again and ",
        "            if False and ",
        ("tests/unit/processor/test_not_granted.py",),
        safety=False,
    ),
    Mutant(
        "what fails while it is appended to ends the process",
        "kafka/errors.py",
        "    if code == KafkaError._STATE and call is Call.APPEND:\n",
        "    if False:\n",
        ("tests/unit/kafka/test_error_table.py",),
        safety=False,
    ),
    Mutant(
        "broken connections may be hidden from us",
        "kafka/options.py",
        '        "log_level",\n',
        "",
        ("tests/unit/kafka/test_options.py",),
    ),
    Mutant(
        "the client library is waited for, however long it takes",
        "kafka/lane.py",
        "            self._aside.call(send, left_s + _LATE_S)\n",
        "            send()\n",
        ("tests/unit/kafka/test_error_table.py",),
        safety=False,
    ),
    Mutant(
        "a call that failed is taken for one that was made",
        "kafka/aside.py",
        "            ends.put(error)\n",
        "            ends.put(None)\n",
        ("tests/unit/kafka/test_aside.py", "tests/unit/kafka/test_error_table.py"),
    ),
    Mutant(
        "what lay for long is made unasked",
        "worker/taking/tasks.py",
        "is_doubtful = delivery.redelivered or delivery.sure_until_ms < now_ms",
        "is_doubtful = delivery.redelivered",
        ("tests/unit/worker/test_poller.py",),
    ),
    Mutant(
        "an answer counts from when it is read",
        "worker/taking/delivery.py",
        "self.sure_until_ms = at_ms + max(sure_for_ms, late_ms)",
        "self.sure_until_ms = now_ms + sure_for_ms",
        ("tests/unit/worker/test_slow_owners.py",),
    ),
    Mutant(
        "an owner that lives is fenced",
        "processor/partitions/predecessors.py",
        "if note.owner not in live}",
        "if note.owner}",
        ("tests/unit/processor/test_predecessors.py",),
    ),
    Mutant(
        "a commit that was told to be one is believed",
        "kafka/lane.py",
        "        if self._watch.troubles:\n",
        "        if False:\n",
        ("tests/unit/kafka/test_error_table.py",),
    ),
    Mutant(
        "what failed is not aborted",
        "kafka/lane.py",
        "            self._call(Call.ABORT, self._producer.abort_transaction, deadline=deadline)\n",
        "            pass\n",
        ("tests/unit/kafka/test_error_table.py",),
    ),
    Mutant(
        "a partition is read to its last stable offset only",
        "kafka/cluster.py",
        "isolation_level=IsolationLevel.READ_UNCOMMITTED",
        "isolation_level=IsolationLevel.READ_COMMITTED",
        ("tests/integration/kafka/test_reading.py",),
    ),
)
