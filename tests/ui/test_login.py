"""Logging in and out, by a token and by an OpenID provider, over HTTP and in a browser."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.ui.guarded_stage import TOKENS, GuardedStage, guarded_stage

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[GuardedStage]:
    async with guarded_stage(tmp_path) as stage:
        yield stage


async def _form_token(stage: GuardedStage, page: str = "/ui/default/start") -> str:
    text = (await stage.http.get(page)).text
    found = re.search(r'name="form_token" value="([\w-]+)"', text)
    assert found is not None, text
    return found.group(1)


async def test_a_token_opens_a_session_that_scripts_and_other_sites_cannot_use(
    stage: GuardedStage,
) -> None:
    """HttpOnly, SameSite, of this path; signed, so that nothing in it can be changed."""
    done = await stage.log_in("operator")

    assert (done.status_code, done.headers["location"]) == (303, "/")
    cookie = done.headers["set-cookie"]
    assert cookie.startswith("streamflow_session=")
    for attribute in ("HttpOnly", "Path=/", "SameSite=lax", "Max-Age=28800"):
        assert attribute in cookie, attribute
    assert TOKENS["operator"] not in cookie
    page = await stage.get("workflows")
    assert page.status_code == 200
    assert "token:operator" in page.text

    value = stage.http.cookies["streamflow_session"]
    stage.http.cookies.set("streamflow_session", "e30" + value[3:], domain="127.0.0.1")
    assert (await stage.get("workflows")).status_code == 303


async def test_a_wrong_token_opens_nothing(stage: GuardedStage) -> None:
    """And a form of another site's page is not even looked at."""
    wrong = await stage.http.post("/auth/login", data={"token": "not-a-token"})
    assert wrong.status_code == 401
    assert "Expected a token that is known here" in wrong.text
    assert "set-cookie" not in wrong.headers
    for origin in ("https://evil.example", ""):
        foreign = await stage.http.post(
            "/auth/login", data={"token": TOKENS["admin"]}, headers={"origin": origin}
        )
        assert foreign.status_code == 403, origin
        assert "set-cookie" not in foreign.headers


async def test_browsers_that_come_by_tls_are_told_to_keep_cookies_to_it(
    stage: GuardedStage,
) -> None:
    """With the prefix that browsers enforce."""
    stage.access.secure = True
    done = await stage.log_in("operator")
    cookie = done.headers["set-cookie"]
    assert cookie.startswith("__Host-streamflow_session=")
    assert "Secure" in cookie
    stage.access.root_path = "/sf"
    done = await stage.log_in("operator")
    assert done.headers["set-cookie"].startswith("__Secure-streamflow_session=")
    assert "Path=/sf" in done.headers["set-cookie"]


async def test_a_login_leads_to_our_pages_only(stage: GuardedStage) -> None:
    """A link with another site's address in it leads to the first page."""
    for wanted, there in (
        ("/ui/default/queues?a=1", "/ui/default/queues?a=1"),
        ("https://evil.example/ui/", "/"),
        ("//evil.example/ui/", "/"),
        ("/\\evil.example/ui/", "/"),
        ("/auth/logout", "/"),
    ):
        sent = {"token": TOKENS["viewer"], "next": wanted}
        done = await stage.http.post("/auth/login", data=sent)
        assert done.headers["location"] == there, wanted


async def test_forms_of_a_session_carry_its_token(stage: GuardedStage) -> None:
    """A form without it, or with another session's, is refused, whatever origin it claims."""
    await stage.log_in("operator")
    other = await _form_token(stage)
    await stage.log_in("operator")
    token = await _form_token(stage)
    fields = {"type": "Ship", "queue": "shop", "id": "ship-1", "args": '{"to": "Ada"}'}

    for bad in ({}, {"form_token": other}, {"form_token": ""}):
        refused = await stage.post("start", **fields, **bad)
        assert refused.status_code == 403, bad
        assert "Expected a form of a page of this session" in refused.text
    done = await stage.post("start", **fields, form_token=token)

    assert done.status_code == 303, done.text
    assert (await stage.get("workflow", id="ship-1")).status_code == 200


async def test_a_session_changes_nothing_over_the_api(stage: GuardedStage) -> None:
    """A cookie travels by itself, a header does not. Reading is open to it: pages follow runs that way."""
    await stage.log_in("operator")
    assert (await stage.http.get("/api/v1/namespaces/default/workflows")).status_code == 200
    path = "/api/v1/namespaces/default/workflows/x/signal"
    refused = await stage.http.post(path, json={"signal_name": "x"})
    assert refused.status_code == 403
    assert "Authorization: Bearer" in refused.json()["detail"]


async def test_a_viewer_sees_and_an_operator_acts(stage: GuardedStage) -> None:
    """The page of a form says what is needed before anything is typed."""
    await stage.waiting("ship-1")
    await stage.log_in("viewer")
    assert (await stage.get("workflow", id="ship-1")).status_code == 200
    form = await stage.get("act", id="ship-1", do="cancel")
    assert form.status_code == 403
    assert "Expected the role operator" in form.text

    await stage.log_in("operator")
    assert (await stage.get("act", id="ship-1", do="cancel")).status_code == 200


async def test_logging_out_ends_the_browsers_session(stage: GuardedStage) -> None:
    """By a form of its own pages: another site must not even do that."""
    await stage.log_in("viewer")
    assert (await stage.http.post("/auth/logout")).status_code == 403
    done = await stage.http.post("/auth/logout", data={"form_token": await _form_token(stage)})
    assert done.headers["location"] == "/auth/login?said=out"
    assert (await stage.get("workflows")).status_code == 303


async def test_a_token_that_is_taken_back_ends_its_sessions(stage: GuardedStage) -> None:
    """At once, on every gateway whose file no longer has it."""
    await stage.log_in("viewer")
    assert (await stage.get("workflows")).status_code == 200
    kept = tuple(token for token in stage.access.settings.tokens if token.name != "viewer")
    stage.access.settings = msgspec.structs.replace(stage.access.settings, tokens=kept)

    assert (await stage.get("workflows")).status_code == 303


# -- by the provider ----------------------------------------------------------------------------------------------


async def test_who_comes_back_from_the_provider_is_logged_in(stage: GuardedStage) -> None:
    """Where they wanted to go, by the name and the groups that it says."""
    back = await stage.come_back_as("ada")

    assert (back.status_code, back.headers["location"]) == (303, "/ui/default/queues")
    page = await stage.get("queues")
    assert "user:ada@shop.example" in page.text
    assert (await stage.get("start")).status_code == 200


async def test_a_login_that_does_not_fit_is_not_believed(stage: GuardedStage) -> None:
    """Another login's state, a code that was used, claims of another login or client, and none begun at all."""
    begun = await stage.http.get("/auth/callback?state=x&code=y")
    assert (begun.status_code, "begin anew" in begun.text) == (400, True)
    await stage.http.get("/auth/oidc")
    other = await stage.http.get("/auth/callback?state=x&code=y")
    assert (other.status_code, "another&#39;s" in other.text) == (400, True)
    denied = await stage.come_back_as("nobody-known")
    assert (denied.status_code, "access_denied" in denied.text) == (403, True)
    for lie in (
        {"nonce": "another"},
        {"aud": "another"},
        {"aud": ["streamflow", "another"]},
        {"iss": "https://evil.example"},
        {"exp": 1},
    ):
        stage.provider.overrides = lie
        refused = await stage.come_back_as("ada")
        assert (refused.status_code, "cannot be believed" in refused.text) == (403, True), lie
    assert (await stage.get("workflows")).status_code == 303


async def test_a_code_is_good_in_the_browser_that_asked_alone(stage: GuardedStage) -> None:
    """Who makes another browser follow their link does not log it in as themselves."""
    sent = await stage.http.get("/auth/oidc")
    async with httpx.AsyncClient() as elsewhere:
        chosen = await elsewhere.get(f"{sent.headers['location']}&person=ada")
        victim = await elsewhere.get(chosen.headers["location"])
    assert victim.status_code == 400


async def _logged_out(stage: GuardedStage) -> httpx.Response:
    sent = {"form_token": await _form_token(stage, "/ui/default/workflows")}
    done = await stage.http.post("/auth/logout", data=sent)
    assert done.status_code == 303
    return await stage.http.get(done.headers["location"])


async def test_who_logs_out_may_log_out_at_the_provider_too(stage: GuardedStage) -> None:
    """By a link of the page that follows, and back to the login page; the session here is over before."""
    await stage.come_back_as("ada")
    page = await _logged_out(stage)

    assert "You are still logged in at the shop" in page.text
    assert (await stage.get("workflows")).status_code == 303
    link = re.search(r'<a href="([^"]*)">log out there too', page.text)
    assert link is not None
    async with httpx.AsyncClient() as browser:
        ended = await browser.get(html.unescape(link[1]))
    assert ended.headers["location"] == f"{stage.url}/auth/login"


async def test_there_is_no_such_link_without_a_session_there(stage: GuardedStage) -> None:
    """For the holder of a token, and at a provider that does not say where sessions are ended."""
    await stage.log_in("viewer")
    assert "log out there too" not in (await _logged_out(stage)).text
    stage.provider.ends_sessions = False
    await stage.come_back_as("ada")
    page = await _logged_out(stage)
    assert "You are logged out." in page.text
    assert "log out there too" not in page.text


@pytest.mark.browser
async def test_a_person_logs_in_by_the_provider_acts_and_logs_out(
    stage: GuardedStage, page: Page
) -> None:
    """From a link to a workflow, through the provider, back to it; the policy for forms lets all of it through."""
    await stage.waiting("ship-1")
    await page.goto(stage.address("workflow", id="ship-1"))
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await page.get_by_role("link", name="Log in at the shop").click()
    await page.get_by_role("link", name="ada").click()

    await expect(page.get_by_text("user:ada@shop.example")).to_be_visible()
    assert "id=ship-1" in page.url
    await page.goto(stage.address("act", id="ship-1", do="signal"))
    await page.get_by_label("Name").fill("hand_over")
    await page.locator("main form button[type=submit]").click()
    await expect(page.get_by_text("The signal was sent.")).to_be_visible()
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_text("You are logged out.")).to_be_visible()
    await page.get_by_role("link", name="log out there too").click()
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    await page.goto(stage.address("workflow", id="ship-1"))
    await expect(page.get_by_role("heading", name="Log in")).to_be_visible()


@pytest.mark.browser
async def test_a_person_logs_in_by_a_token_and_the_list_follows(
    stage: GuardedStage, page: Page
) -> None:
    """What the page fetches by itself comes with the session too."""
    await page.goto(stage.address("workflows"))
    await page.get_by_label("Token").fill(TOKENS["viewer"])
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_text("token:viewer")).to_be_visible()

    await stage.waiting("ship-1")

    await expect(page.get_by_role("link", name="ship-1")).to_be_visible()
