"""A log of the test's own, with an inbox of one partition and an outbox of one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow.embedded import EmbeddedLog
from tests.unit.embedded.member import topic


@pytest.fixture
def log(tmp_path: Path) -> Iterator[EmbeddedLog]:
    opened = EmbeddedLog.open(tmp_path / "embedded")
    opened.create_topics([topic("in"), topic("out")])
    yield opened
    opened.close()
