"""The list of workflows over HTTP."""

from __future__ import annotations

import html
import re

import pytest

from tests.ui.stage import Stage, until

pytestmark = pytest.mark.asyncio


def ids(page: str) -> list[str]:
    """The workflow IDs of the rows, from the top."""
    return [html.unescape(found) for found in re.findall(r'<a class="id"[^>]*>([^<]*)</a>', page)]


def chips(page: str) -> dict[str, tuple[int, str, bool]]:
    """Count, address and whether it is pressed, by label."""
    found = re.findall(
        r'<a class="chip" href="([^"]*)"[^>]*?( aria-current="true")?>(.*?) <b>(.*?)</b>', page
    )
    return {
        label: (int(count), html.unescape(address), bool(pressed))
        for address, pressed, label, count in found
    }


async def test_the_root_leads_to_the_list(stage: Stage) -> None:
    """An empty log has a page that says so."""
    page = await stage.http.get("/", follow_redirects=True)

    assert page.status_code == 200
    assert page.url.path == "/ui/default/workflows"
    assert "No workflow has been started yet" in page.text


async def test_each_row_says_what_its_workflow_is_doing(stage: Stage) -> None:
    """Retrying and stuck are statuses of their own, with their error beside them; a failed one has its reason."""
    await stage.waiting("waits")
    await stage.retrying("retries")
    await stage.stuck("is-stuck", "no such colour")
    await stage.failed("has-failed", "out of boxes")
    paused = await stage.waiting("is-paused")
    await paused.pause(reason="holiday")

    async def list_page() -> str:
        return (await stage.get("workflows")).text

    page = await until(list_page, lambda text: 'data-state="retrying">Retrying<' in text)
    rows = dict(zip(ids(page), page.split("<tr id=")[1:], strict=True))

    assert ids(page)[-1] == "waits"  # the newest is first
    assert 'data-state="running"' in rows["waits"]
    assert "The scale is broken" in rows["retries"]
    assert 'data-state="stuck"' in rows["is-stuck"]
    assert "no such colour" in rows["is-stuck"]
    assert 'data-state="failed"' in rows["has-failed"]
    assert "out of boxes" in rows["has-failed"]
    assert 'data-state="paused"' in rows["is-paused"]


async def test_chips_count_and_filter(stage: Stage) -> None:
    """A chip's count is what its address shows, and there the text says the same."""
    await stage.waiting("a")
    await stage.waiting("b")
    await stage.failed("c")
    everything = chips((await stage.get("workflows")).text)
    assert {label: found[0] for label, found in everything.items()} == {
        "Running": 2,
        "Completed": 0,
        "Failed": 1,
        "Ship": 2,
        "Refuse": 1,
    }

    running = (await stage.http.get(everything["Running"][1])).text

    assert sorted(ids(running)) == ["a", "b"]
    assert chips(running)["Running"][2]
    assert 'value="ExecutionStatus = &#39;Running&#39;"' in running
    both = (await stage.http.get(chips(running)["Ship"][1])).text
    assert sorted(ids(both)) == ["a", "b"]
    assert "WorkflowType = &#39;Ship&#39; AND ExecutionStatus = &#39;Running&#39;" in both
    released = (await stage.http.get(chips(both)["Running"][1])).text
    assert not chips(released)["Running"][2]
    assert chips(released)["Ship"][2]


async def test_a_filter_by_hand_presses_the_chips(stage: Stage) -> None:
    """Text and chips are in step also from the text's side."""
    await stage.waiting("a")

    page = (
        await stage.get("workflows", query="ExecutionStatus='Running' AND WorkflowId = 'a'")
    ).text

    assert ids(page) == ["a"]
    assert chips(page)["Running"][2]


@pytest.mark.parametrize("query", ["Citi = 'x'", "WorkflowId = '", "WorkflowId ~ 3"])
async def test_a_filter_that_is_none_says_where(stage: Stage, query: str) -> None:
    """The text stays in the box, with the message beside it, and no rows are shown as if they were found."""
    page = await stage.get("workflows", query=query)

    assert page.status_code == 400
    assert 'role="alert"' in page.text
    assert "at character" in page.text
    assert f'value="{html.escape(query).replace("&#x27;", "&#39;")}"' in page.text
    assert not ids(page.text)


async def test_a_long_list_has_pages(stage: Stage) -> None:
    """Every workflow is on one page, and the last page leads nowhere further."""
    for number in range(61):
        await stage.client.start_workflow(
            "Ship", id=f"w-{number}", task_queue="shop", args=[{"to": "x"}]
        )

    first = (await stage.get("workflows")).text
    following = re.search(r'rel="next" href="([^"]*)"', first)
    assert following is not None
    second = (await stage.http.get(html.unescape(following[1]))).text

    assert len(ids(first)) == 50
    assert sorted(ids(first) + ids(second)) == sorted(f"w-{number}" for number in range(61))
    assert 'rel="next"' not in second
    assert "61 workflows" in second


async def test_the_box_for_ids(stage: Stage) -> None:
    """An ID leads to its workflow; the beginning of one to those that have it."""
    await stage.waiting("order/7 ü?&'")

    whole = await stage.get("jump", id=" order/7 ü?&' ")
    part = await stage.http.get("/ui/default/jump", params={"id": "order/7"}, follow_redirects=True)
    nothing = await stage.get("jump", id="")

    assert whole.status_code == 303
    assert whole.headers["location"] == "/ui/default/workflow?id=order%2F7%20%C3%BC%3F%26%27"
    assert ids(part.text) == ["order/7 ü?&'"]
    assert nothing.headers["location"] == "/ui/default/workflows"


async def test_the_command_of_the_page_is_the_same_list(stage: Stage) -> None:
    """It is quoted for a shell."""
    page = await stage.get("workflows", query="WorkflowId = 'a b'")

    command = re.search(r'data-copy="([^"]*)"', page.text)
    assert command is not None
    assert html.unescape(command[1]) == (
        """streamflow workflow list '--query=WorkflowId = '"'"'a b'"'"''"""
    )


def headings(page: str) -> list[str]:
    return [html.unescape(found) for found in re.findall(r"<th [^>]*>([^<]*)</th>", page)]


async def test_columns_are_chosen_by_the_address(stage: Stage) -> None:
    """In the order that it says; chips and further pages keep the choice, as does the form of the filter."""
    await stage.retrying("w")
    await until(lambda: stage.get("workflows"), lambda page: "broken" in page.text)

    usual = (await stage.get("workflows")).text
    page = (await stage.get("workflows", columns="queue,attempt,run,status")).text
    sent = (await stage.http.get("/ui/default/workflows?column=events&column=type")).text

    assert headings(usual) == ["Status", "Workflow", "Type", "Step", "Started, UTC", "Duration"]
    assert headings(page) == ["Workflow", "Task queue", "Attempt", "Run", "Status"]
    assert re.search(r"<td>shop</td>\s*<td class=\"end\">2</td>\s*<td>[0-9a-f-]{36}</td>", page)
    assert all(
        "columns=queue%2Cattempt%2Crun%2Cstatus" in address
        for _, address, _ in chips(page).values()
    )
    assert '<input type="hidden" name="columns" value="queue,attempt,run,status">' in page
    assert headings(sent) == ["Workflow", "Events", "Type"]


async def test_a_column_that_is_not_there_is_refused(stage: Stage) -> None:
    """With those that are."""
    page = await stage.get("workflows", columns="colour")

    assert page.status_code == 400
    assert "Expected columns of status, type" in page.text
