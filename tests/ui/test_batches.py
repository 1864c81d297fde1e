"""One operation on every workflow that a filter finds."""

from __future__ import annotations

import html
import re

import pytest
from playwright.async_api import Page, expect

from streamflow.client import WorkflowExecutionStatus
from tests.ui.stage import Stage
from tests.ui.test_run import text_of

pytestmark = pytest.mark.asyncio

RUNNING = "ExecutionStatus = 'Running'"


async def test_all_that_a_filter_finds_are_terminated(stage: Stage) -> None:
    """Those and no others; the list leads there, and each is told apart."""
    first, second = await stage.waiting("a-1"), await stage.waiting("a-2")
    spared = await stage.waiting("b")
    query = f"WorkflowId STARTS_WITH 'a-' AND {RUNNING}"
    listed = (await stage.get("workflows", query=query)).text
    address = re.search(r'href="([^"]*/batch\?[^"]*)"', listed)
    assert address is not None

    form = await stage.http.get(html.unescape(address[1]))
    done = await stage.http.post(
        html.unescape(address[1]), data={"do": "terminate", "reason": "recall"}
    )

    assert "2 workflows are found now." in text_of(form.text)
    assert "2 of 2 done." in text_of(done.text)
    for handle in (first, second):
        assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED
    assert (await spared.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_what_is_refused_is_said_for_each(stage: Stage) -> None:
    """A workflow that is over cannot be terminated; the others are."""
    await stage.completed("over")
    await stage.waiting("open")
    address = stage.address("batch", query="WorkflowType = 'Ship'")

    said = text_of((await stage.http.post(address, data={"do": "terminate"})).text)

    assert "1 of 2 done, 1 refused." in said
    assert re.search(r"Refused over \S+", said)
    assert "Done open" in said


async def test_many_are_paused_and_go_on(stage: Stage) -> None:
    """Also where some go on already; the command takes no reason where there is none to give."""
    first, second = await stage.waiting("a-1"), await stage.waiting("a-2")
    address = stage.address("batch", query=RUNNING)

    paused = await stage.http.post(address, data={"do": "pause", "reason": "recall"})
    for handle in (first, second):
        trouble = (await handle.describe()).trouble
        assert trouble is not None
        assert trouble.kind == "paused"
    one = stage.address("batch", query="WorkflowId = 'a-1'")
    await stage.http.post(one, data={"do": "unpause"})
    rest = await stage.http.post(address, data={"do": "unpause", "reason": "over"})

    assert "2 of 2 done." in text_of(paused.text)
    assert "batch pause" in text_of(paused.text)
    assert "--reason" in text_of(paused.text)
    assert "batch unpause" in text_of(rest.text)
    assert "--reason" not in text_of(rest.text)
    for handle in (first, second):
        assert (await handle.describe()).trouble is None


@pytest.mark.parametrize(
    ("query", "do", "message"),
    [
        ("", "cancel", "Expected a list filter"),
        ("Citi = 'x'", "cancel", "at character"),
        (RUNNING, "dance", "Expected cancel, terminate, pause or unpause"),
    ],
)
async def test_nothing_is_done_without_a_filter_and_an_operation(
    stage: Stage, query: str, do: str, message: str
) -> None:
    """An empty filter would mean everything there is."""
    handle = await stage.waiting("w")

    answer = await stage.http.post(stage.address("batch", query=query), data={"do": do})

    assert answer.status_code == 400
    assert message in html.unescape(answer.text)
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


@pytest.mark.browser
async def test_many_are_ended_in_a_browser(stage: Stage, page: Page) -> None:
    """From the filtered list by its link and one button, to what became of each."""
    handles = [await stage.waiting(f"a-{number}") for number in range(3)]
    await page.goto(stage.address("workflows", query=RUNNING))

    await page.get_by_role("link", name="Act on all of them").click()
    await page.get_by_role("radio", name="Terminate them now").check()
    await page.get_by_label("Reason").fill("recall")
    await page.get_by_role("button", name="Do it to 3").click()

    await expect(page.get_by_text("3 of 3 done.")).to_be_visible()
    await expect(page.get_by_role("row", name="a-1")).to_contain_text("Done")
    for handle in handles:
        assert (await handle.describe()).status is WorkflowExecutionStatus.TERMINATED
