"""Scrubbing in a real browser: the slider, the buttons, the keys, the address, and what stays open meanwhile."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.ui.stage import Stage

pytestmark = [pytest.mark.asyncio, pytest.mark.browser]


async def arrived(page: Page, step: int, total: int) -> None:
    """The step is there, and the address, the slider and the words all say so."""
    await expect(page.locator("#travel-step")).to_have_attribute("data-step", str(step))
    await expect(page.locator("#travel-at")).to_have_text(f"Step {step} of {total}")
    slider = page.get_by_role("slider", name="Step")
    await expect(slider).to_have_value(str(step))
    await expect(slider).to_have_attribute("aria-valuetext", f"Step {step} of {total}")
    await expect(page).to_have_url(re.compile(rf"[?&]step={step}\b"))


async def noted(stage: Stage) -> None:
    """A run of five steps."""
    handle = await stage.waiting("w")
    for text in ("one", "two", "three"):
        await handle.signal("note", text)
        await handle.query("remarks")


async def test_buttons_go_through_the_steps(stage: Stage, page: Page) -> None:
    """First, previous, next and last; at an end there is no way on."""
    await noted(stage)
    await page.goto(stage.address("workflow", id="w", view="travel"))
    await expect(page.locator("#travel-at")).to_have_text("Step 5 of 5")
    steps = page.get_by_role("navigation", name="Steps")

    await steps.get_by_role("link", name="First").click()
    await arrived(page, 1, 5)
    await expect(steps.get_by_role("link", name="Previous")).to_have_attribute(
        "aria-disabled", "true"
    )
    await steps.get_by_role("link", name="Next").click()
    await arrived(page, 2, 5)
    await expect(page.get_by_role("region", name="What came in")).to_contain_text(
        "activity_completed"
    )
    await steps.get_by_role("link", name="Last").click()
    await arrived(page, 5, 5)
    await expect(page.get_by_role("region", name="Fields of the workflow")).to_contain_text("three")
    await steps.get_by_role("link", name="Previous").click()
    await arrived(page, 4, 5)

    await expect(page.get_by_role("region", name="Fields of the workflow")).not_to_contain_text(
        "three"
    )


async def test_keys_go_through_the_steps(stage: Stage, page: Page) -> None:
    """Arrows, Home and End, wherever the focus is but in a box."""
    await noted(stage)
    await page.goto(stage.address("workflow", id="w", view="travel", step="3"))

    await page.keyboard.press("ArrowRight")
    await arrived(page, 4, 5)
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await arrived(page, 2, 5)
    await page.keyboard.press("End")
    await arrived(page, 5, 5)
    await page.keyboard.press("ArrowRight")
    await arrived(page, 5, 5)
    await page.keyboard.press("Home")
    await arrived(page, 1, 5)
    await page.keyboard.press("/")
    await page.keyboard.type("ab")
    await page.keyboard.press("ArrowRight")

    await arrived(page, 1, 5)
    await expect(page.locator("#said")).to_have_text("Step 1 of 5")


async def test_the_slider_scrubs(stage: Stage, page: Page) -> None:
    """By mouse and by key; it keeps the focus, so that the next key goes on."""
    await noted(stage)
    await page.goto(stage.address("workflow", id="w", view="travel"))
    slider = page.get_by_role("slider", name="Step")

    box = await slider.bounding_box()
    assert box is not None
    await page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    await arrived(page, 3, 5)
    await page.keyboard.press("ArrowRight")
    await arrived(page, 4, 5)
    await expect(slider).to_be_focused()
    await page.keyboard.press("Home")

    await arrived(page, 1, 5)


async def test_an_address_leads_to_its_step(stage: Stage, page: Page) -> None:
    """The permalink of a step shows that step, also in another window and after a reload."""
    await noted(stage)
    await page.goto(stage.address("workflow", id="w", view="travel", step="2"))
    await page.keyboard.press("ArrowRight")
    await arrived(page, 3, 5)

    address = await page.get_by_role("link", name="Link to this step").get_attribute("href")
    await page.reload()
    await arrived(page, 3, 5)
    assert address is not None
    await page.goto(stage.url + address)

    await arrived(page, 3, 5)


async def test_what_was_opened_stays_open(stage: Stage, page: Page) -> None:
    """So that one value can be watched from step to step; what changes in it is marked."""
    await noted(stage)
    await page.goto(stage.address("workflow", id="w", view="travel", step="2"))
    variables = page.get_by_role("region", name="Task-1").locator("details[data-key$='/parcel']")
    await variables.locator("summary").first.click()
    await expect(variables.get_by_text("grams", exact=True)).to_be_visible()

    await page.keyboard.press("ArrowRight")
    await arrived(page, 3, 5)

    await expect(variables.get_by_text("grams", exact=True)).to_be_visible()
    notes = page.get_by_role("region", name="Fields of the workflow")
    await expect(notes.locator("[data-change]", has_text="notes").first).to_contain_text("'one'")


async def test_the_latest_step_is_followed(stage: Stage, page: Page) -> None:
    """Until one is chosen: that one stays, however the run goes on."""
    handle = await stage.waiting("w")
    await page.goto(stage.address("workflow", id="w", view="travel"))
    await expect(page.locator("#travel-at")).to_have_text("Step 2 of 2")

    await handle.signal("note", "fragile")
    await expect(page.locator("#travel-at")).to_have_text("Step 3 of 3")
    await expect(page.get_by_role("region", name="Fields of the workflow")).to_contain_text(
        "fragile"
    )
    await page.keyboard.press("ArrowLeft")
    await arrived(page, 2, 3)
    await handle.signal("hand_over")
    await handle.result()

    await arrived(page, 2, 3)


async def test_without_scripts_it_is_links_and_a_form(stage: Stage, page: Page) -> None:
    """The buttons are links, and the slider is sent with Go."""
    await noted(stage)
    browser = page.context.browser
    assert browser is not None
    context = await browser.new_context(java_script_enabled=False)
    plain = await context.new_page()
    await plain.goto(stage.address("workflow", id="w", view="travel", step="2"))

    await plain.get_by_role("link", name="Next").click()
    await expect(plain.locator("#travel-at")).to_have_text("Step 3 of 5")
    await plain.get_by_role("slider", name="Step").focus()
    await plain.keyboard.press("End")
    await plain.get_by_role("button", name="Go").click()

    await expect(plain.locator("#travel-at")).to_have_text("Step 5 of 5")
    await context.close()
