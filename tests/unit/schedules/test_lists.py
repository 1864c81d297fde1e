"""Schedules are found by what is known of them; and what could never be carried out is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
)
from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.testing import WorkflowEnvironment

pytestmark = pytest.mark.asyncio

CITY = SearchAttributeKey.for_keyword("City")


@pytest_asyncio.fixture
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        yield env.client


def schedule(*, cron: str = "", paused: bool = False) -> Schedule:
    return Schedule(
        ScheduleActionStartWorkflow("Any", id="any", task_queue="nobody"),
        ScheduleSpec(cron_expressions=[cron] if cron else []),
        state=ScheduleState(paused=paused),
    )


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("ScheduleId = 'a-1'", ["a-1"]),
        ("ScheduleId != 'a-1'", ["a-2", "b"]),
        ('`ScheduleId` IN ("a-2", "b")', ["a-2", "b"]),
        ("ScheduleId STARTS_WITH 'a-' AND City = 'Bonn'", ["a-1"]),
        ("City = 'a-1' OR ScheduleId = 'b'", ["b"]),
        ("TemporalSchedulePaused = true", ["a-2"]),
        ("TemporalSchedulePaused = false AND ScheduleId STARTS_WITH 'a'", ["a-1"]),
        ("ORDER BY StartTime ASC", ["a-1", "a-2", "b"]),
    ],
)
async def test_a_list_is_filtered(client: Client, query: str, ids: list[str]) -> None:
    """By the schedule's ID, by whether it is paused, and by search attributes of its own."""
    bonn = TypedSearchAttributes([SearchAttributePair(CITY, "Bonn")])
    await client.create_schedule("a-1", schedule(), search_attributes=bonn)
    await client.create_schedule("a-2", schedule(paused=True))
    await client.create_schedule("b", schedule())
    for name in ("a-1", "a-2", "b"):
        await client.get_schedule_handle(name).describe()

    found = [one async for one in await client.list_schedules(query)]

    assert sorted(one.id for one in found) == ids
    assert {name for one in found for name in one.search_attributes} <= {"City"}


async def test_a_text_that_is_no_filter_is_refused(client: Client) -> None:
    with pytest.raises(RPCError) as caught:
        [one async for one in await client.list_schedules("ScheduleId = 'open")]

    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("cron", ["0 0 * *", "@often", "CRON_TZ=Nowhere/Else 0 0 * * *"])
async def test_a_bad_cron_expression_is_an_invalid_argument(client: Client, cron: str) -> None:
    """As anything else in a specification that nobody could carry out."""
    with pytest.raises(RPCError, match="Invalid schedule spec") as caught:
        await client.create_schedule("bad", schedule(cron=cron))

    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT


async def test_summary_and_details_are_the_schedules(client: Client) -> None:
    """As a program that looks at its workflow finds them."""
    await client.create_schedule(
        "s", schedule(), static_summary="every night", static_details="more of it"
    )

    own = client.get_workflow_handle("streamflow-schedule:s", task_queue="streamflow-schedules")
    run = await own.describe()

    assert await run.static_summary() == "every night"
    assert await run.static_details() == "more of it"


async def test_a_description_has_the_actions_texts_as_payloads(client: Client) -> None:
    """As it has its arguments; an update that gives them back changes nothing."""
    wanted = schedule()
    assert isinstance(wanted.action, ScheduleActionStartWorkflow)
    wanted.action.static_summary, wanted.action.static_details = "each night", "more"
    handle = await client.create_schedule("s", wanted)

    async def texts() -> tuple[Any, Any]:
        action = (await handle.describe()).schedule.action
        assert isinstance(action, ScheduleActionStartWorkflow)
        return action.static_summary, action.static_details

    first = await texts()
    await handle.update(lambda given: ScheduleUpdate(given.description.schedule))

    assert first == tuple(await client.data_converter.encode(["each night", "more"]))
    assert await texts() == first
