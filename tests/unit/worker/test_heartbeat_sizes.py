"""Heartbeats whose details no record could hold."""

from __future__ import annotations

import pytest

from streamflow import activity
from streamflow.model.commands import ActivityOutcome
from streamflow.worker.running.executor import HEARTBEAT_BYTES_MAX
from tests.unit.worker.tasks import task_of
from tests.unit.worker.test_executor import Stage

pytestmark = pytest.mark.asyncio


@activity.defn
async def boast() -> None:
    activity.heartbeat("x" * HEARTBEAT_BYTES_MAX)


@activity.defn
async def go_on(what: str) -> None:
    activity.heartbeat(what)


async def test_details_that_are_too_large_are_refused_where_they_are_made() -> None:
    """The code that made them is told how large they were, and how large they may be."""
    stage = Stage([boast])

    outcome = await stage.run(task_of("boast"))

    assert outcome.kind is ActivityOutcome.FAILED
    assert outcome.failure is not None
    assert outcome.failure.type == "ValueError"
    assert str(HEARTBEAT_BYTES_MAX) in outcome.failure.message
    assert stage.beats == []


async def test_details_must_fit_into_a_task_beside_the_arguments() -> None:
    """The next attempt is to find both."""
    stage = Stage([go_on])

    outcome = await stage.run(task_of("go_on", "x" * 600_000))

    assert outcome.failure is not None
    assert "with the activity's arguments" in outcome.failure.message
    assert stage.beats == []
