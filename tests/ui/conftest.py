"""The UI as `streamflow dev` serves it, on an embedded log; and a real browser in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, async_playwright

from streamflow.gateway import Gateway
from streamflow.testing import WorkflowEnvironment
from streamflow.timetravel import Travels
from streamflow.ui import ui_routes
from tests.ui.shop import app
from tests.ui.stage import Stage

CHROMIUM = "/usr/bin/chromium"


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with await WorkflowEnvironment.start_local() as environment:
        client = environment.client
        travels = Travels([app.code()])
        gateway = Gateway(
            {client.namespace: client.transport},
            extra_routes=ui_routes({client.namespace: client}, travels=travels),
        )
        async with app.worker(client, state_dir=tmp_path, partitions=1), gateway:
            headers = {"origin": gateway.url}
            async with httpx.AsyncClient(base_url=gateway.url, headers=headers, timeout=30) as http:
                yield Stage(gateway.url, client, http)
        await travels.close()


@pytest_asyncio.fixture
async def context() -> AsyncIterator[BrowserContext]:
    """A browser's window. What its pages complain of fails the test: a refused script or style among it."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = await browser.new_context(viewport={"width": 1280, "height": 800})
        await context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.on("console", lambda message: _complain(complaints, message.text))
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        yield context
        await browser.close()
    assert complaints == []


def _complain(complaints: list[str], text: str) -> None:
    # A page that refuses what was asked is no fault of the page.
    if not ("status of 400" in text or "status of 409" in text):
        complaints.append(text)


@pytest_asyncio.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()
