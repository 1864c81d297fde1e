"""The pictures in the documentation are of these pages: made anew with STREAMFLOW_SCREENSHOTS=1."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.ui.stage import Stage

pytestmark = [pytest.mark.asyncio, pytest.mark.browser]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DOCUMENTED = "".join((IMAGES.parent / name).read_text() for name in ("ui.md", "time-travel.md"))


async def test_pictures_of_the_main_pages(stage: Stage, page: Page, tmp_path: Path) -> None:
    """Each picture is of a page that is there, and the documentation shows it."""
    await stage.completed("order-1041")
    await stage.failed("order-1042", "The card was declined")
    await stage.stuck("order-1043", "no such colour")
    await stage.retrying("order-1044")
    handle = await stage.waiting("order-1045")
    await handle.signal("note", "fragile")
    await handle.execute_update("rename", "Bo")
    folder = IMAGES if os.environ.get("STREAMFLOW_SCREENSHOTS") else tmp_path
    folder.mkdir(exist_ok=True)
    for name, theme, address in [
        ("ui-workflows", "light", stage.address("workflows")),
        ("ui-run", "light", stage.address("workflow", id="order-1045")),
        ("ui-timeline", "light", stage.address("workflow", id="order-1045", view="timeline")),
        (
            "ui-time-travel",
            "light",
            stage.address("workflow", id="order-1045", view="travel", step="2"),
        ),
        ("ui-pending", "dark", stage.address("workflow", id="order-1044", view="pending")),
    ]:
        await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        await page.goto(address)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()

        await page.screenshot(path=folder / f"{name}.png", full_page=True)

        assert (IMAGES / f"{name}.png").stat().st_size > 10_000
        assert f"](images/{name}.png)" in DOCUMENTED
