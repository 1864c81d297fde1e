"""What is changed through a gateway is in the audit topic, and on a page for admins; on a running engine."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from streamflow.audit import Filter, Found, newest
from streamflow.client.connecting import log_of
from streamflow.gateway.access import Grant, Role
from tests.ui.guarded_stage import GuardedStage, guarded_stage
from tests.ui.shop import QUEUE
from tests.ui.test_access import WORKFLOWS, _start, replaced_grants
from tests.ui.test_other_pages import letter
from tests.ui.test_run import text_of

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[GuardedStage]:
    async with guarded_stage(tmp_path) as stage:
        yield stage


def recorded(stage: GuardedStage) -> list[Found]:
    """Everything, oldest first."""
    found = newest(log_of(stage.client.transport), "default", Filter(), limit=1_000)
    assert found.unreadable == 0
    return list(reversed(found.entries))


async def test_each_attempt_is_in_the_topic_when_its_caller_is_answered(
    stage: GuardedStage,
) -> None:
    """Who, in which role, what, on which workflow, and what became of it; never what only read."""
    await stage.waiting("ship-1")
    signal = {"signal_name": "hand_over", "identity": "somebody-else"}
    await stage.api("GET", f"{WORKFLOWS}/ship-1", "viewer")
    await stage.api("POST", f"{WORKFLOWS}/ship-1/signal", "viewer", signal)
    assert len(recorded(stage)) == 1
    await stage.api("POST", f"{WORKFLOWS}/ship-1/signal", "operator", signal)
    assert len(recorded(stage)) == 2
    await stage.api("POST", f"{WORKFLOWS}/none/cancel?queue={QUEUE}", "shipper", {})
    started = await stage.api("POST", WORKFLOWS, "shipper", _start("ship-2"))
    declared = {"search_attributes": {"Colour": "Keyword"}}
    await stage.api("POST", "/namespaces/default/search-attributes", "admin", declared)

    refused, done, missing, start, namespace = (one.entry for one in recorded(stage))

    assert (refused.who, refused.role) == ("token:viewer", "viewer")
    assert refused.outcome == "failed: permission_denied"
    assert (done.who, done.role, done.outcome) == ("token:operator", "operator", "done")
    assert (done.action, done.workflow_id) == ("SignalWorkflow", "ship-1")
    assert done.details == {"signal_name": "hand_over"}
    assert (missing.role, missing.outcome) == ("", "failed: not_found")
    assert (start.role, start.run_id) == ("operator", started.json()["run_id"])
    assert start.details == {"workflow_type": "Ship"}
    assert (namespace.action, namespace.role) == ("DeclareSearchAttributes", "admin")
    assert namespace.details == {"names": "Colour"}


async def test_the_page_is_for_admins_and_finds_by_person_and_workflow(
    stage: GuardedStage,
) -> None:
    """With what was done on pages too; names are text."""
    await stage.waiting("ship-1")
    stage.http.headers.update(stage.bearer("operator"))
    address = await letter(stage, b"no command")
    await stage.http.post(address, data={"do": "discard"})
    await stage.post("act?id=ship-1&do=cancel", reason="<i>recalled</i>")
    viewer = await stage.http.get("/ui/default/audit", headers=stage.bearer("operator"))
    assert viewer.status_code == 403
    assert "Expected the role admin" in viewer.text
    assert 'href="/ui/default/audit"' not in (await stage.get("workflows")).text

    stage.http.headers.update(stage.bearer("admin"))
    page = (await stage.get("audit")).text
    assert 'href="/ui/default/audit"' in page
    rows = [text_of(row) for row in re.findall(r"<tr id=.*?</tr>", page, re.DOTALL)]
    assert len(rows) == 2
    assert "token:operator operator CancelWorkflow reason: <i>recalled</i> ship-1 done" in rows[0]
    assert "<i>recalled" not in page
    assert "DiscardDeadLetter letter: 0/0 – done" in rows[1]

    assert "ship-1" not in (await stage.get("audit", workflow="other")).text.split("<tbody>")[-1]
    by_person = (await stage.get("audit", who="operator", workflow="ship-1")).text
    assert len(re.findall(r"<tr id=", by_person)) == 1
    assert "streamflow audit list --user=operator --workflow-id=ship-1" in by_person
    assert "No entry is found." in (await stage.get("audit", who="nobody")).text
    assert (await stage.get("audit", before="x")).status_code == 400


async def test_older_entries_are_a_link_away(stage: GuardedStage) -> None:
    """A hundred on a page, each of them once."""
    await stage.waiting("ship-1")
    note = {"signal_name": "hand_over"}
    for _ in range(103):
        await stage.api("POST", f"{WORKFLOWS}/ship-1/signal", "viewer", note)
    stage.http.headers.update(stage.bearer("admin"))

    first = (await stage.get("audit")).text
    older = re.search(r'rel="next" href="([^"]*)"', first)
    assert older is not None
    second = (await stage.http.get(html.unescape(older[1]))).text

    places = [int(one) for page in (first, second) for one in re.findall(r'id="entry-(\d+)"', page)]
    assert places == sorted(range(103), reverse=True)
    assert 'rel="next"' not in second


async def test_a_grant_for_a_type_is_the_role_of_what_it_let_through(stage: GuardedStage) -> None:
    """The lowest over all types that the ID ever had."""
    await stage.waiting("ship-1")
    replaced_grants(
        stage,
        Grant(role=Role.VIEWER, to=("token:shipper",)),
        Grant(role=Role.ADMIN, to=("token:shipper",), workflow_types=("Ship",)),
    )

    async def signalled() -> int:
        body = {"signal_name": "hand_over"}
        return (await stage.api("POST", f"{WORKFLOWS}/ship-1/signal", "shipper", body)).status_code

    assert await signalled() == 200
    assert [one.entry.role for one in recorded(stage)] == ["admin"]
