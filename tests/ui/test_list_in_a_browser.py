"""The list of workflows in a real browser: it follows by itself, and keys, themes and copying work."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.ui.stage import Stage

pytestmark = [pytest.mark.asyncio, pytest.mark.browser]


async def test_the_list_follows_what_happens(stage: Stage, page: Page) -> None:
    """A workflow that starts, and one that ends, are seen without a reload; focus stays where it was."""
    handle = await stage.waiting("first")
    await page.goto(stage.address("workflows"))
    await expect(page.get_by_role("row", name="first")).to_contain_text("Running")
    link = page.get_by_role("link", name="first")
    await link.focus()

    await stage.waiting("second")
    await handle.signal("hand_over")

    await expect(page.get_by_role("row", name="second")).to_contain_text("until handed over")
    await expect(page.get_by_role("row", name="first")).to_contain_text("Completed")
    await expect(link).to_be_focused()


async def test_filtering_by_chip_and_by_hand(stage: Stage, page: Page) -> None:
    """A pressed chip is in the text; a text that is changed presses chips; Clear shows everything."""
    await stage.waiting("open")
    await stage.failed("failed")
    await page.goto(stage.address("workflows"))

    await page.get_by_role("navigation", name="Statuses").get_by_role("link", name="Failed").click()

    await expect(page.get_by_label("Filter")).to_have_value("ExecutionStatus = 'Failed'")
    await expect(page.get_by_role("row")).to_have_count(2)
    await expect(page.get_by_role("row").last).to_contain_text("out of boxes")
    await page.get_by_label("Filter").fill("WorkflowType = 'Ship'")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("row").last).to_contain_text("open")
    pressed = page.locator(".chip[aria-current]")
    await expect(pressed).to_have_text("Ship 1")
    await page.get_by_role("link", name="Clear").click()
    await expect(page.get_by_role("row")).to_have_count(3)


async def test_a_mistake_in_the_filter_is_told(stage: Stage, page: Page) -> None:
    """The message is an alert, the text is still there to be mended, and the box is marked."""
    await page.goto(stage.address("workflows", query="WorkflowTyp = 'Ship'"))

    await expect(page.get_by_role("alert")).to_contain_text("did you mean WorkflowType?")
    await expect(page.get_by_label("Filter")).to_have_attribute("aria-invalid", "true")


async def test_it_works_by_keyboard_alone(stage: Stage, page: Page) -> None:
    """`j` and `k` go through rows, `/` goes to the box for IDs, Escape leaves it."""
    await stage.waiting("older")
    await stage.waiting("newer")
    await page.goto(stage.address("workflows"))

    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="newer")).to_be_focused()
    await page.keyboard.press("j")
    await expect(page.get_by_role("link", name="older")).to_be_focused()
    await page.keyboard.press("k")
    await expect(page.get_by_role("link", name="newer")).to_be_focused()
    await page.keyboard.press("/")
    await expect(page.get_by_label("Go to a workflow by its ID")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("old")
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Filter")).to_have_value("WorkflowId STARTS_WITH 'old'")
    await expect(page.get_by_role("row")).to_have_count(2)


async def test_dark_is_the_systems_choice_until_one_is_made(
    stage: Stage, context: BrowserContext, page: Page
) -> None:
    """The button changes it, and the choice outlives the page."""
    light, dark = "rgb(246, 247, 249)", "rgb(17, 21, 28)"
    body = page.locator("body")
    await page.emulate_media(color_scheme="dark")
    await page.goto(stage.address("workflows"))
    await expect(body).to_have_css("background-color", dark)
    await page.emulate_media(color_scheme="light")
    await expect(body).to_have_css("background-color", light)

    await page.get_by_role("button", name="Switch between light and dark").click()

    await expect(body).to_have_css("background-color", dark)
    await page.reload()
    await expect(body).to_have_css("background-color", dark)


async def test_the_command_is_copied(stage: Stage, page: Page) -> None:
    """The button puts the page's command on the clipboard, and says so."""
    await page.goto(stage.address("workflows", query="WorkflowId = 'x'"))

    await page.get_by_role("button", name="Copy").click()

    await expect(page.get_by_role("status")).to_have_text("Copied")
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == """streamflow workflow list '--query=WorkflowId = '"'"'x'"'"''"""


async def test_views_are_saved_in_the_browser(stage: Stage, page: Page) -> None:
    """Filter and columns under a name; there again after a reload; forgotten by its button."""
    await stage.failed("has-failed")
    await stage.waiting("waits")
    await page.goto(stage.address("workflows", query="ExecutionStatus = 'Failed'"))
    await page.get_by_text("Columns", exact=True).click()
    await page.get_by_label("Task queue").check()
    await page.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("columnheader", name="Task queue")).to_be_visible()

    await page.get_by_text("Save this view").click()
    await page.get_by_label("Name").fill("<b>Mine</b>")
    await page.get_by_role("button", name="Save", exact=True).click()
    saved = page.get_by_role("navigation", name="Saved views")
    await expect(saved.get_by_role("link")).to_have_text("<b>Mine</b>")
    await expect(saved.get_by_role("link")).to_have_attribute("aria-current", "true")
    await page.goto(stage.address("workflows"))
    await expect(page.get_by_role("row")).to_have_count(3)
    await saved.get_by_role("link", name="Mine").click()

    await expect(page.get_by_label("Filter")).to_have_value("ExecutionStatus = 'Failed'")
    await expect(page.get_by_role("columnheader", name="Task queue")).to_be_visible()
    await expect(page.get_by_role("row")).to_have_count(2)
    await saved.get_by_role("button", name="Forget").click()
    await page.reload()
    await expect(page.get_by_text("Save this view")).to_be_visible()
    await expect(saved.get_by_role("link")).to_have_count(0)


async def test_views_that_somebody_else_left_do_no_harm(stage: Stage, page: Page) -> None:
    """Whatever the browser has kept under that name, it is a way of looking at this list or nothing."""
    await page.goto(stage.address("workflows"))
    await page.evaluate(
        """() => localStorage.setItem("streamflow-views-default", JSON.stringify([
          {name: "<img src=x onerror=window.stolen=1>", search: "javascript:window.stolen=1"},
          {name: "other", search: "query=X&page=//elsewhere"}, {name: 1}, null, "text"]))"""
    )
    await page.reload()

    links = page.get_by_role("navigation", name="Saved views").get_by_role("link")
    await expect(links).to_have_count(2)
    assert [await link.get_attribute("href") for link in await links.all()] == [
        "/ui/default/workflows",
        "/ui/default/workflows?query=X",
    ]
    assert await page.evaluate("window.stolen") is None
    await page.evaluate("localStorage.setItem('streamflow-views-default', '{')")
    await page.reload()
    await expect(page.get_by_text("Save this view")).to_be_visible()
