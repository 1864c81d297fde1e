"""Each page offers whoever looks at it what they may do, and nothing else: links, buttons and forms that are not there."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from streamflow.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from streamflow.gateway.access import Grant, Role
from tests.ui.guarded_stage import GuardedStage, guarded_stage
from tests.ui.shop import LIMIT, QUEUE, Echo
from tests.ui.stage import until
from tests.ui.test_access import replaced_grants
from tests.ui.test_other_pages import letter

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]

_ACTING = re.compile(r'href="(/ui/default/(?:act|start|batch)(?:\?[^"]*)?)"')
_POSTS = re.compile(r'<form[^>]*method="post"[^>]*action="([^"]*)"')
_LINK = re.compile(r'href="(/ui/default/[^"#]*)"')
_WORD = re.compile(r"[?&](?:do|view)=([a-z-]+)")


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[GuardedStage]:
    async with guarded_stage(tmp_path) as stage:
        yield stage


async def _pages(stage: GuardedStage) -> list[str]:
    """Every kind of page, each where it has most to offer."""
    await stage.waiting("ship-1")
    await stage.retrying("weigh-1")
    await stage.stuck("broken-1")
    action = ScheduleActionStartWorkflow(Echo.run, "x", id="x", task_queue=QUEUE)
    spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=LIMIT)])
    await stage.client.create_schedule("nightly", Schedule(action=action, spec=spec))
    stage.http.headers.update(stage.bearer("admin"))
    address = await letter(stage, b"no command")

    async def counted() -> int:
        return (await stage.client.count_workflows("WorkflowId IS NOT NULL")).count

    await until(counted, lambda count: count >= 3)
    await until(lambda: stage.get("schedules"), lambda found: "nightly" in found.text)
    root = "/ui/default"
    return [
        f"{root}/workflows?query=WorkflowId%20IS%20NOT%20NULL",
        *(
            f"{root}/workflow?id={id}&view={view}"
            for id in ("ship-1", "weigh-1", "broken-1")
            for view in ("history", "events", "pending", "queries", "stack", "timeline", "json")
        ),
        f"{root}/schedules",
        f"{root}/schedule?id=nightly",
        f"{root}/queues",
        f"{root}/queue?name={QUEUE}",
        f"{root}/topics",
        f"{root}/letters",
        address,
    ]


async def _offered(stage: GuardedStage, who: str, page: str) -> list[str]:
    """Where the links and forms of the page that act on something lead."""
    found = await stage.http.get(page, headers=stage.bearer(who))
    assert found.status_code == 200, (who, page, found.text)
    addresses = [*_ACTING.findall(found.text), *_POSTS.findall(found.text)]
    return sorted({html.unescape(one) for one in addresses if "/auth/" not in one})


async def test_a_viewer_is_offered_nothing_to_press(stage: GuardedStage) -> None:
    """No page has a link to a form, or a form that changes something; and the forms themselves are refused."""
    for page in await _pages(stage):
        assert await _offered(stage, "viewer", page) == [], page
        assert "Log out" in (await stage.http.get(page, headers=stage.bearer("viewer"))).text
    for form in ("start", "act?id=ship-1&do=cancel", "batch?query=WorkflowId%20IS%20NOT%20NULL"):
        refused = await stage.http.get(f"/ui/default/{form}", headers=stage.bearer("viewer"))
        assert refused.status_code == 403, form
        assert "Expected the role operator" in refused.text
        assert _POSTS.findall(refused.text) == ["/auth/logout"]


async def test_a_form_that_is_sent_without_the_role_is_refused_and_audited(
    stage: GuardedStage, caplog: pytest.LogCaptureFixture
) -> None:
    """By whoever writes one: that a page does not offer it protects nothing."""
    await _pages(stage)
    sent: tuple[tuple[str, dict[str, str], str], ...] = (
        ("start", {"type": "Ship", "queue": QUEUE}, "StartWorkflow"),
        ("act?id=ship-1&do=cancel", {}, "CancelWorkflow"),
        ("schedule?id=nightly", {"do": "delete"}, "TerminateWorkflow"),
    )
    with caplog.at_level(logging.INFO, logger="streamflow.audit"):
        for page, fields, _ in sent:
            refused = await stage.http.post(
                f"/ui/default/{page}", data=fields, headers=stage.bearer("viewer")
            )
            assert refused.status_code == 403, page

    said = [record.getMessage() for record in caplog.records if record.name == "streamflow.audit"]
    for line, (_, _, action) in zip(said, sent, strict=True):
        assert "who='token:viewer'" in line
        assert f"action='{action}'" in line
        assert "outcome='failed: permission_denied'" in line


async def test_an_operator_is_offered_what_each_page_is_for(stage: GuardedStage) -> None:
    """And nothing of it is refused. An admin is offered the same, who is one as well."""
    pages = await _pages(stage)
    offered = {page: await _offered(stage, "operator", page) for page in pages}

    def words(page: str) -> set[str]:
        return {word for one in offered[page] for word in _WORD.findall(one)}

    run = {"signal", "update", "pause", "cancel", "terminate"}
    root = "/ui/default/workflow?id="
    assert words(f"{root}ship-1&view=history") == {*run, "reset"}
    assert words(f"{root}ship-1&view=events") == {*run, "reset"}
    assert words(f"{root}weigh-1&view=pending") == {*run, "retry", "pause-activity"}
    assert [one.partition("?")[0] for one in offered[pages[0]]] == [
        "/ui/default/batch",
        "/ui/default/start",
    ]
    assert offered["/ui/default/schedule?id=nightly"] == ["/ui/default/schedule?id=nightly"]
    assert offered[pages[-1]] == [pages[-1]]
    for address in sorted({one for found in offered.values() for one in found}):
        form = await stage.http.get(address, headers=stage.bearer("operator"))
        assert form.status_code == 200, address
    for page in pages:
        assert await _offered(stage, "admin", page) == offered[page], page
    assert await _offered(stage, "admin", "/ui/default/audit") == []


async def test_no_page_links_to_what_is_refused(stage: GuardedStage) -> None:
    """Whoever looks: also with a grant for one type of workflows alone."""
    pages = await _pages(stage)
    for who in ("viewer", "shipper", "operator"):
        mine = [page for page in pages if who != "shipper" or "ship-1" in page or page == pages[0]]
        links: set[str] = set()
        for page in mine:
            found = await stage.http.get(page, headers=stage.bearer(who))
            assert found.status_code == 200, (who, page)
            links.update(html.unescape(one) for one in _LINK.findall(found.text))
        assert len(links) > 10
        for link in sorted(links):
            followed = await stage.http.get(link, headers=stage.bearer(who))
            assert followed.status_code != 403, (who, link, followed.text)


async def test_who_acts_on_one_type_is_offered_that_on_its_runs_alone(stage: GuardedStage) -> None:
    """They see the others, and their pages have no buttons for them."""
    await stage.waiting("ship-1")
    await stage.retrying("weigh-1")
    grants = (
        Grant(role=Role.VIEWER, to=("token:shipper",)),
        Grant(role=Role.OPERATOR, to=("token:shipper",), workflow_types=("Ship",)),
    )
    replaced_grants(stage, *grants)

    async def shown(id: str) -> list[str]:
        return await _offered(stage, "shipper", f"/ui/default/workflow?id={id}&view=pending")

    assert len(await until(lambda: shown("ship-1"), bool)) == 5
    assert await shown("weigh-1") == []
    start = await stage.http.get("/ui/default/start", headers=stage.bearer("shipper"))
    assert re.findall(r'<datalist id="types">(.*)</datalist>', start.text) == [
        '<option value="Ship"></option>'
    ]


async def test_a_page_that_is_followed_changes_with_who_looks(stage: GuardedStage) -> None:
    """What another person was shown is not taken for current."""
    await stage.failed("refused-1")
    page = "/ui/default/workflow?id=refused-1"
    shown = await stage.http.get(page, headers=stage.bearer("operator"))
    known = {"if-none-match": shown.headers["etag"]}

    again = await stage.http.get(page, headers={**stage.bearer("operator"), **known})
    other = await stage.http.get(page, headers={**stage.bearer("viewer"), **known})

    assert {again.status_code, other.status_code} <= {200, 304}
    assert other.status_code == 200
    assert "/ui/default/act" in shown.text
    assert "/ui/default/act" not in other.text
