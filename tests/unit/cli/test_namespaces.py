"""``streamflow namespace``: made, listed, shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from streamflow.cli.exits import ExitCode, run


def test_namespaces_are_made_and_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Making one again changes its notes; one that is not there is not found."""
    at = ["--address", f"embedded:{tmp_path / 'log'}"]
    for description in ("first", "the shop"):
        made = run(["namespace", "create", "shop", "--description", description, "--dev", *at])
        assert made == ExitCode.OK
    assert run(["topology", "apply", "-n", "shop", "-q", "orders", "--dev", *at]) == ExitCode.OK
    capsys.readouterr()

    assert run(["namespace", "list", "-o", "json", *at]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == [
        {"namespace": "shop", "queues": 1, "description": "the shop"}
    ]
    assert run(["namespace", "describe", "shop", "-o", "json", *at]) == ExitCode.OK
    shown = json.loads(capsys.readouterr().out)
    assert shown["queues"] == {"orders": "workflow, 12 partitions"}
    assert "shop.settings" in shown["topics"]

    assert run(["namespace", "describe", "nowhere", *at]) == ExitCode.NOT_FOUND
    assert "streamflow namespace create nowhere" in capsys.readouterr().err
    assert run(["namespace", "create", "Not Allowed", *at]) == ExitCode.USAGE
