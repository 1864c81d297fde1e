"""A log with a feed."""

from __future__ import annotations

import pytest

from streamflow import topology
from streamflow.memory.log import MemoryLog
from tests.unit.visibility.fleet import NS


@pytest.fixture
def log() -> MemoryLog:
    log = MemoryLog()
    topology.apply(log, topology.plan(log, topology.declare(NS, dev=True)))
    return log
