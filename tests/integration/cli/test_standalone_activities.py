"""Activities of no workflow, from a shell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.cli.processes import Dev, Shell
from tests.integration.cli.shop import QUEUE

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def shell(served: tuple[Shell, Dev]) -> Shell:
    return served[0]


def _json(shell: Shell, *words: str, code: int = 0) -> Any:
    done = shell.run("activity", *words, "-o", "json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def test_an_activity_is_started_and_its_result_is_there_later(shell: Shell) -> None:
    """Under its ID, for other commands; its failure exits with 1 and says why."""
    started = _json(shell, "start", "compose", "-q", QUEUE, "--id", "c", "-i", '"Moon"')
    assert (started["activity_id"], started["queue"]) == ("c", QUEUE)
    assert _json(shell, "result", "c") == "Hello, Moon"
    described = _json(shell, "describe", "c", "--run-id", started["run_id"])
    assert (described["status"], described["type"]) == ("completed", "compose")

    refused = _json(shell, "start", "refuse", "-q", QUEUE, "--id", "r", "--wait", code=1)
    assert refused["failed"][-1] == "ApplicationError: no card"
    missing = shell.run("activity", "describe", "nobody")
    assert missing.returncode == 3, missing.stderr


def test_one_that_fails_is_seen_stopped_and_listed(shell: Shell) -> None:
    """Its attempts go on until somebody ends it."""
    _json(shell, "start", "fail_for_ever", "-q", QUEUE, "--id", "f")
    described: dict[str, Any] = {}
    while not described.get("last_failure"):
        described = _json(shell, "describe", "f")
    assert described["status"] == "running"
    assert "not yet" in described["last_failure"]
    [failed] = described["failed_attempts"]
    assert failed["attempt"].startswith("1")
    assert "not yet" in failed["failure"]
    assert failed["worker"]
    table = shell.run("activity", "describe", "f")
    assert "Failed attempts" in table.stdout

    assert shell.run("activity", "terminate", "f", "--reason", "enough").returncode == 0
    _json(shell, "result", "f", code=1)
    query = ["--query", "ActivityType = 'fail_for_ever'"]
    [row] = _json(shell, "list", *query)
    assert (row["activity_id"], row["status"]) == ("f", "terminated")
    assert _json(shell, "count", *query)["count"] == 1
