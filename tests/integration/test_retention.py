"""The end of a closed run's retention on a compacted topic: its records go, the log shrinks, and restores still work."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path

import pytest

from streamflow import topology, wiring
from streamflow.engine.state import STATUS_OF
from streamflow.testing.kafka import KafkaBroker
from streamflow.wire.history_file import from_json
from streamflow.wire.keys import EntityKind
from tests.faults import orders, stores
from tests.faults.deployment import PARTITIONS, QUEUE, Deployment, Node, say
from tests.faults.raw import CLOSING_CODES, Entry

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(180)]

CLOSED = 60
RETENTION_MS = 2_000
# Segments end at once and are cleaned at once, and tombstones go soon after: what production does in weeks.
CLEANED_AT_ONCE = {
    "segment.ms": "200",
    "segment.bytes": "1048576",
    "min.cleanable.dirty.ratio": "0.0",
    "min.compaction.lag.ms": "0",
    "max.compaction.lag.ms": "200",
    "delete.retention.ms": "200",
    "file.delete.delay.ms": "100",
}
AS_DECLARED = {"delete.retention.ms": "604800000"}


@pytest.mark.own_broker
def test_retired_runs_leave_the_log_and_open_ones_stay(namespace: str, tmp_path: Path) -> None:
    """Events are tombstoned and compacted away; who restores from what is left finds the open runs whole."""
    with (
        KafkaBroker(settings={"log.cleaner.backoff.ms": "100"}) as broker,
        Deployment(broker.bootstrap, namespace, tmp_path, seed=0) as deployment,
    ):
        app = deployment.both("app", f"--retention-ms={RETENTION_MS}")
        _start(deployment, app)
        waiting = _waiting_orders(deployment)
        deployment.drive(deployment.order(CLOSED))
        deployment.outsider.flush()
        deployment.history.follow_until_closed(CLOSED, timeout_s=60)
        retired = deployment.numbers.keys() - set(waiting)
        written = len(_about(deployment.history.entries, retired))

        _until_gone(deployment, kept=set(waiting))
        say("every closed run is gone")
        _restart_with_an_empty_disk(deployment, app)
        left = _until_small(deployment, app, retired, limit=written // 4)
        say(f"of {written} records of retired runs {len(_about(left, retired))} are left")

        assert _workflows_of(left) >= set(waiting), "an open run lost events"
        _restart_with_an_empty_disk(deployment, app)
        deployment.drive(list(deployment.numbers.keys() - retired))
        deployment.outsider.flush()
        _until_all_closed(deployment)
        app.stop()
        said = app.said()

    assert "history_gap" not in said
    assert "torn_transaction" not in said
    assert "quarantined" not in said


def test_rows_of_retired_runs_leave_the_store(
    kafka_bootstrap: str, namespace: str, tmp_path: Path
) -> None:
    """Nothing of them is left, neither live nor in a store that is built from the whole log; all of them are archived."""
    archive = tmp_path / "archive"
    with Deployment(kafka_bootstrap, namespace, tmp_path, seed=0) as deployment:
        app = deployment.both(
            "app", f"--retention-ms={RETENTION_MS}", f"--archive={archive}"
        ).start()
        waiting = _waiting_orders(deployment)
        deployment.drive(deployment.order(CLOSED))
        deployment.outsider.flush()
        deployment.history.follow_until_closed(CLOSED, timeout_s=60)
        _until_gone(deployment, kept=set(waiting))
        app.stop()
        deployment.history.read_to_end()

        for partition in range(4):
            live = stores.live(deployment.store_folder("app"), partition, deployment.folder)
            rebuilt = stores.rebuilt(deployment.history.entries, partition)
            assert stores.differences(live, rebuilt) == []
            for order in deployment.numbers.keys() - set(waiting):
                assert not any(order.encode() in key for key in live if key[:1] == b"w")
            runs = [key for key in live if key[:1] == b"r"]
            assert len(runs) == sum(
                topology.partition_for(order, 4) == partition for order in waiting
            )
        gone = deployment.numbers.keys() - set(waiting)
        archived = [from_json(file.read_bytes()) for file in archive.rglob("*.json")]
        assert {history.workflow_id for history in archived} >= gone
        assert all(type(history.events[-1].event) in STATUS_OF for history in archived)


def _waiting_orders(deployment: Deployment) -> list[str]:
    """Orders whose driver says nothing yet: open for as long as the test likes."""
    placed = deployment.order(10)
    return [o for o in placed if orders.expected(deployment.numbers[o]) == orders.RATED]


def _alter(deployment: Deployment, settings: dict[str, str]) -> None:
    log = wiring.open_log(deployment.bootstrap)
    log.alter_topics({topology.history_topic(deployment.namespace, QUEUE): settings})
    log.close()


def _until_gone(deployment: Deployment, *, kept: set[str]) -> None:
    """Returns when the log has said of every closed order that nothing is left of it."""
    gone: set[str] = set()
    seen = 0
    deadline = time.monotonic() + 60
    expected = deployment.numbers.keys() - kept
    while gone < expected:
        assert time.monotonic() < deadline, f"still there: {sorted(expected - gone)[:10]}"
        deployment.history.follow(0.2)
        for entry in deployment.history.entries[seen:]:
            if entry.key.kind is EntityKind.DELETING and entry.value is None:
                gone.add(entry.key.workflow_id)
        seen = len(deployment.history.entries)


def _start(deployment: Deployment, app: Node) -> None:
    """On settings that are safe, or it would refuse; they are made quick behind its back."""
    _alter(deployment, AS_DECLARED)
    deployment.history.read_to_end()
    app.start()
    deployment.see_at_work([app])
    _alter(deployment, CLEANED_AT_ONCE)


def _restart_with_an_empty_disk(deployment: Deployment, app: Node) -> None:
    app.stop()
    app.forget_state()
    _start(deployment, app)


def _until_small(
    deployment: Deployment, app: Node, retired: Collection[str], *, limit: int
) -> list[Entry]:
    """What a reader finds in the topic once the broker has cleaned it of retired runs, tombstones included."""
    deadline = time.monotonic() + 120
    while True:
        # A segment is only closed by the next record, and only closed ones are cleaned: one new order a partition.
        deployment.order(PARTITIONS)
        deployment.history.follow(1.5)
        left = deployment.read_anew()
        about = _about(left, retired)
        if len(about) < limit and not any(
            entry.value for entry in about if entry.key.kind is EntityKind.EVENT
        ):
            return left
        assert time.monotonic() < deadline, f"{len(about)} records are left of retired runs"
        assert app.running, app.tail()


def _until_all_closed(deployment: Deployment) -> None:
    """Read anew each time: what has ended goes so soon that a reader who follows may miss it."""
    deadline = time.monotonic() + 60
    while True:
        events = [e for e in deployment.read_anew() if e.key.kind is EntityKind.EVENT and e.value]
        closed = {e.key.workflow_id for e in events if e.header.code in CLOSING_CODES}
        still_open = {e.key.workflow_id for e in events} - closed
        # Of a run that is being deleted, last event first, the end is gone before the beginning.
        if not still_open:
            return
        assert time.monotonic() < deadline, f"still open: {sorted(still_open)}"
        time.sleep(0.2)


def _about(entries: list[Entry], workflows: Collection[str]) -> list[Entry]:
    return [entry for entry in entries if entry.key.workflow_id in workflows]


def _workflows_of(entries: list[Entry]) -> set[str]:
    return {
        entry.key.workflow_id
        for entry in entries
        if entry.key.kind is EntityKind.EVENT and entry.value is not None and entry.key.number == 1
    }
