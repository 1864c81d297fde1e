"""The site over HTTP, and once in a real browser: what a customer and a driver do moves an order."""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import async_playwright, expect

from examples.food_delivery.app import app
from examples.food_delivery.orders import State
from examples.food_delivery.site import Site, serving, url_of
from streamflow.testing import WorkflowEnvironment
from tests.examples.stage import until

pytestmark = pytest.mark.asyncio
CHROMIUM = "/usr/bin/chromium"


@pytest_asyncio.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """Where the site is served, with a worker behind it."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with (
            await WorkflowEnvironment.start_time_skipping() as environment,
            app.worker(environment.client, state_dir=tmp_path),
            serving(Site(environment.client), listening),
        ):
            yield url_of(listening)


@pytest_asyncio.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, headers={"origin": url}) as http:
        yield http


async def order(http: httpx.AsyncClient, **form: str) -> str:
    """The number of a new order."""
    placed = await http.post("/orders", data={"dish": "Pad thai", "card": "4242", **form})
    assert placed.status_code == 303
    return placed.headers["location"].removeprefix("/orders/")


async def shows(http: httpx.AsyncClient, path: str, state: State) -> str:
    """The page, once it shows this state."""

    async def page() -> str:
        return (await http.get(path)).text

    return await until(page, lambda text: f'data-state="{state}"' in text)


async def press(http: httpx.AsyncClient, page: str, signal: str) -> None:
    """Sends the form of the driver's button."""
    form = re.search(rf'action="(/driver/[^"]+/{signal})"', page)
    assert form is not None, page
    assert (await http.post(form[1])).status_code == 303


async def test_a_customer_orders_and_a_driver_brings_it(http: httpx.AsyncClient) -> None:
    """The driver's buttons are those that fit the order's state, and the customer's page follows."""
    order_id = await order(http)
    await shows(http, f"/orders/{order_id}", State.PAID)

    await press(http, await shows(http, "/driver", State.PAID), "picked_up")
    await shows(http, f"/orders/{order_id}", State.PICKED_UP)
    await press(http, await shows(http, "/driver", State.PICKED_UP), "delivered")

    page = await shows(http, f"/orders/{order_id}", State.DELIVERED)
    assert "Delivered at" in page
    assert "<button" not in (await http.get("/driver")).text.split('id="orders"')[1]


async def test_a_declined_card_is_told_to_the_customer(http: httpx.AsyncClient) -> None:
    """The page of a failed order says what was wrong."""
    order_id = await order(http, card="0002")

    assert "was declined" in await shows(http, f"/orders/{order_id}", State.FAILED)


async def test_what_a_form_says_is_checked(http: httpx.AsyncClient) -> None:
    """A dish that is not on the menu, a card that nobody has and a signal that means nothing are refused."""
    assert (await http.post("/orders", data={"dish": "Sofa", "card": "4242"})).status_code == 400
    assert (await http.post("/orders", data={"dish": "Pad thai", "card": "1"})).status_code == 400
    assert (await http.post("/orders", content=b"a" * 5_000)).status_code == 413
    assert (await http.post("/driver/order-1/eaten")).status_code == 404


async def test_an_order_that_does_not_exist_is_not_found(http: httpx.AsyncClient) -> None:
    """Its page is a 404 in words, and no driver sees it; nothing of its number is taken for HTML."""
    assert (await http.get("/orders/nothing")).status_code == 404
    page = await http.get("/driver", params={"order": "<b>nothing</b>"})
    assert page.status_code == 200
    assert "There is no such order" in page.text
    assert "<b>nothing" not in page.text


async def test_other_sites_cannot_use_a_visitors_browser(http: httpx.AsyncClient) -> None:
    """A form on a foreign page, and a foreign name that points here, are refused before anything is done."""
    form = {"dish": "Pad thai", "card": "4242"}
    foreign = await http.post("/orders", data=form, headers={"origin": "https://elsewhere.example"})
    renamed = await http.get("/", headers={"host": "elsewhere.example"})

    assert foreign.status_code == 403
    assert renamed.status_code == 400
    assert (await http.get("/driver")).text.count("/orders/") == 0


async def test_pages_allow_only_our_own_files(http: httpx.AsyncClient) -> None:
    """No inline script or style, no foreign source, no framing; every file that a page names is there."""
    page = await http.get("/")

    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert len(files) == 3
    for file in files:
        assert (await http.get(file)).status_code == 200


@pytest.mark.browser
async def test_a_browser_sees_the_order_move_without_reloading(url: str) -> None:
    """Customer and driver in two tabs: buttons move the order, and both pages follow by themselves."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        context = await browser.new_context()
        context.on("console", lambda message: complaints.append(message.text))
        customer, driver = await context.new_page(), await context.new_page()

        await customer.goto(url)
        await customer.get_by_label("Lentil dal").check()
        await customer.get_by_role("button", name="Order").click()
        await expect(customer.locator("p.state")).to_have_text("Paid")
        await driver.goto(f"{url}/driver")
        await driver.get_by_role("button", name="Picked up").click()
        await expect(customer.locator("p.state")).to_have_text("Picked up")
        await driver.get_by_role("button", name="Delivered").click()
        await expect(customer.locator("p.state")).to_have_text("Delivered")
        await expect(customer.get_by_text("Delivered at")).to_be_visible()

        await browser.close()
    assert complaints == []
