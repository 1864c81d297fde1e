"""A machine that lost its disk begins with a copy of its state, and nothing is lost or done twice for it."""

from __future__ import annotations

import pytest

from tests.faults.conftest import ORDERS
from tests.faults.deployment import Deployment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def test_a_processor_without_a_disk_begins_with_a_snapshot(deployment: Deployment) -> None:
    """Of RocksDB's files, in the middle of work, with `kill -9`; the checker finds every order as it should be."""
    folder = deployment.folder / "snapshots"
    processor = deployment.processor("p", f"--snapshots={folder}").start()
    deployment.worker("w").start()
    placed = deployment.order(ORDERS // 2)
    deployment.drive(placed, which=0)
    while len(list(folder.rglob("*.json"))) < 2:
        deployment.see_at_work([processor])
        deployment.drive(deployment.order(2))
    processor.kill()
    processor.forget_state()

    processor.start()
    deployment.drive(placed, which=1)

    deployment.finish()
    assert "snapshot_loaded" in processor.said()
    assert "snapshot_ignored" not in processor.said()
