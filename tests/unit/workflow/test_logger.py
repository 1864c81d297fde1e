"""The logger speaks for the run, once."""

from __future__ import annotations

import logging

import pytest

from streamflow import workflow
from tests.unit.coroutine.world import World, driven


def test_a_message_says_which_run_is_speaking(caplog: pytest.LogCaptureFixture) -> None:
    async def code() -> None:
        workflow.logger.info("said", extra={"mine": 1})

    with caplog.at_level(logging.INFO):
        World(driven(code)).step()
    (record,) = caplog.records
    assert record.message.startswith("said ({")
    assert record.temporal_workflow["workflow_type"] == "Driven"  # type: ignore[attr-defined]
    assert record.mine == 1  # type: ignore[attr-defined]


def test_outside_of_workflows_it_is_an_ordinary_logger(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        workflow.logger.info("plain")
    assert [record.message for record in caplog.records] == ["plain"]
    assert workflow.logger.base_logger.name == "streamflow.workflow"


def test_its_flags_choose_what_is_added(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow.logger, "workflow_info_on_message", False)
    monkeypatch.setattr(workflow.logger, "workflow_info_on_extra", False)
    monkeypatch.setattr(workflow.logger, "full_workflow_info_on_extra", True)

    async def code() -> None:
        workflow.logger.info("said")

    with caplog.at_level(logging.INFO):
        World(driven(code)).step()
    (record,) = caplog.records
    assert record.message == "said"
    assert record.workflow_info.workflow_id == "order-1"  # type: ignore[attr-defined]
    assert not hasattr(record, "temporal_workflow")


def test_it_can_be_told_to_speak_on_replay(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workflow.logger, "log_during_replay", True)

    async def code() -> None:
        workflow.logger.info("said")
        await workflow.sleep(1)

    with caplog.at_level(logging.INFO):
        world = World(driven(code))
        world.step()
        world.rebuild()
    assert len(caplog.records) == 2
