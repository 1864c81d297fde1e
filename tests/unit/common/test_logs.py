"""What is logged, as it reaches the stream."""

from __future__ import annotations

import io
import json
import logging

import pytest

from streamflow import observability


class Noted(io.StringIO):
    """A stream that remembers each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[str] = []

    def write(self, text: str) -> int:
        self.writes.append(text)
        return super().write(text)


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "the standard library's"])
def test_each_line_is_one_write(ours: bool) -> None:
    """Processes that share a stream may write at any time: what is written in two parts comes out torn."""
    stream = Noted()
    observability.configure(json=True, stream=stream)

    if ours:
        observability.get_logger("worker").info("worker_started", queue="q")
    else:
        logging.getLogger("somebody").warning("worker_started")

    [line] = stream.writes
    assert line.endswith("\n")
    assert json.loads(line)["event"] == "worker_started"
