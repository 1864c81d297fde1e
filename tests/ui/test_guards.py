"""What a page may load, who may send forms, and that nothing of a user's is taken for HTML."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page

from tests.ui.shop import QUEUE, Echo
from tests.ui.stage import Stage, until
from tests.ui.test_other_pages import letter, scheduled

pytestmark = pytest.mark.asyncio


async def test_pages_load_our_own_files_only(stage: Stage) -> None:
    """The policy allows nothing inline and nothing foreign; every file that a page names is there, to be kept for ever."""
    page = await stage.get("workflows")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.headers["cache-control"] == "no-store"
    files = set(re.findall(r'(?:src|href)="(/ui/static/[^"]+)"', page.text))
    assert len(files) == 6
    for file in files:
        answer = await stage.http.get(file)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fsite.py", "%2Fetc%2Fpasswd"])
async def test_only_files_of_the_ui_are_served(stage: Stage, name: str) -> None:
    """A path is the name of a file or nothing."""
    assert (await stage.http.get(f"/ui/static/x/{name}")).status_code == 404


async def test_a_foreign_name_for_this_machine_is_refused(stage: Stage) -> None:
    """So that no other site's page can read these pages by pointing its own name here."""
    page = await stage.http.get("/ui/default/workflows", headers={"host": "elsewhere.example"})

    assert page.status_code == 403


async def test_an_unknown_namespace_is_not_found(stage: Stage) -> None:
    """The page says which there are."""
    page = await stage.http.get("/ui/other/workflows")

    assert page.status_code == 404
    assert "default" in page.text


CORPUS = (
    "<script>window.stolen = 1</script>",
    "'\"><img src=x onerror=window.stolen=1>",
    "</pre></textarea></title><svg onload=window.stolen=1>",
    "javascript:window.stolen=1",
    "{{ 7 * 7 }}{% raw %}",
    "<b hx-get='/' hx-trigger='load' hx-on:click='window.stolen=1'>bold</b>",
    "a\u2028b\u202ec&lt;i&gt;\x7f",
)
VIEWS = ("", "timeline", "events", "pending", "queries", "stack", "travel", "json")


async def addresses(stage: Stage) -> AsyncIterator[tuple[str, str]]:
    """Pages that show a text of the corpus as an ID, a type, a payload, a summary or an error; with the text."""
    for number, text in enumerate(CORPUS):
        await stage.client.execute_workflow(
            Echo.run, {text: text}, id=text, task_queue=QUEUE, static_summary=text
        )
        failed = await stage.failed(f"failed-{number}", text)
        stuck = await stage.stuck(f"stuck-{number}", text)
        noted = await stage.waiting(f"noted-{number}", text)
        await noted.signal("note", text)
        await noted.signal(text, text)
        await noted.pause(reason=text)
        untyped = await stage.client.start_workflow(text, id=f"type-{number}", task_queue=QUEUE)
        await until(untyped.describe, lambda found: found.trouble is not None)
        yield text, stage.address("workflows")
        yield text, stage.address("workflows", query=f"WorkflowId = '{text}")
        yield text, stage.address("workflows", columns=f"run,@{text}")
        yield text, stage.address("workflows", columns=text)
        for id in (failed.id, stuck.id, untyped.id):
            yield text, stage.address("workflow", id=id)
        yield text, stage.address("workflow", id=failed.id, view="events")
        yield text, stage.address("workflow", id=failed.id, view="travel", step="1")
        for view in VIEWS:
            yield text, stage.address("workflow", id=text, view=view)
            yield text, stage.address("workflow", id=noted.id, view=view)
        yield text, stage.address("workflow", id=noted.id, view="queries", query="remarks")
        yield text, stage.address("workflow", id=noted.id, view="queries", query=text, args=text)
        yield text, stage.address("workflow", id="no" + text)
        yield text, stage.address("act", id=text, do="reset", seq=text, reason=text)
        yield text, stage.address("act", id=noted.id, do="signal", name=text, args=text)
        yield text, stage.address("act", id=noted.id, do=text)
        yield text, stage.address("start", type=text, queue=text)
        await scheduled(stage, f"s-{text}")
        await stage.client.get_schedule_handle(f"s-{text}").pause(note=text)
        yield text, stage.address("schedules")
        yield text, stage.address("schedule", id=f"s-{text}")
        yield text, stage.address("letters", text=text)
        yield text, stage.address("batch", query=text)
        yield text, stage.address("workflow", id=noted.id, find=text)
    letter_address = await letter(stage, CORPUS[0].encode())
    yield CORPUS[0], stage.address("letters")
    yield CORPUS[0], stage.url + letter_address


async def test_nothing_of_a_users_is_taken_for_html(stage: Stage) -> None:
    """Whatever an ID, a type, a payload, a reason or an error says, it is text; no page fails over it."""
    async for text, address in addresses(stage):
        answer = await stage.http.get(address)
        assert answer.status_code in (200, 400, 404, 409), address
        if "<" in text:
            assert text not in answer.text, address
        assert not re.search(r"<[^>]*\son\w+=", _without_values(answer.text)), address


def _without_values(page: str) -> str:
    return re.sub(r'="[^"]*"', "", page)


@pytest.mark.browser
@pytest.mark.timeout(300)
async def test_nothing_of_a_users_runs_in_a_browser(stage: Stage, page: Page) -> None:
    """In a real browser none of it does anything, and nothing is left for the policy to refuse."""
    async for _, address in addresses(stage):
        answer = await stage.http.get(address)
        if answer.status_code == 404:
            continue  # pages of nothing show the text in one place, seen above
        await page.goto(address)
        assert await page.evaluate("window.stolen") is None, address
        assert await page.locator("main b[hx-get], main img, main svg[onload]").count() == 0


async def test_the_text_of_an_address_is_not_the_pages(stage: Stage) -> None:
    """A page says what a form did by a word that it knows, never by what an address makes it say."""
    await stage.waiting("w")

    page = (await stage.get("workflow", id="w", said="Call 0123 now")).text

    assert "Call 0123" not in html.unescape(page)
