"""Who may what over HTTP: bearer tokens and roles, on a running engine."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleSpec,
)
from streamflow.gateway.access import Grant, Role
from streamflow.schedules import SCHEDULES_QUEUE
from streamflow.schedules.facts import workflow_id_of
from streamflow.ui.routes import PAGES
from tests.ui.guarded_stage import TOKENS, GuardedStage, guarded_stage
from tests.ui.shop import QUEUE

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(180)]

WORKFLOWS = "/namespaces/default/workflows"


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[GuardedStage]:
    async with guarded_stage(tmp_path) as stage:
        yield stage


def _start(workflow_id: str, workflow_type: str = "Ship") -> dict[str, Any]:
    value = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJ0byI6ICJBZGEifQ=="}
    return {
        "queue": QUEUE,
        "workflow_id": workflow_id,
        "workflow_type": workflow_type,
        "args": [value],
    }


async def test_nobody_is_told_to_bring_a_token(stage: GuardedStage) -> None:
    """By the status and the header that programs know; a browser is led to the login page."""
    found = await stage.api("GET", WORKFLOWS, "")
    assert (found.status_code, found.json()["code"]) == (401, "rpc_unauthenticated")
    assert found.headers["www-authenticate"].startswith("Bearer")
    wrong = await stage.api("GET", WORKFLOWS, "a-token-that-nobody-has-given-out")
    assert wrong.status_code == 401
    basic = await stage.api("GET", WORKFLOWS, "", authorization="Basic YTpi")
    assert "Expected Authorization: Bearer" in basic.json()["detail"]

    page = await stage.http.get("/ui/default/workflows?query=a%20%3D%201")
    assert page.status_code == 303
    assert (
        page.headers["location"]
        == "/auth/login?next=%2Fui%2Fdefault%2Fworkflows%3Fquery%3Da%2520%253D%25201"
    )
    fragment = await stage.http.get("/ui/default/workflows", headers={"hx-request": "true"})
    assert (fragment.status_code, fragment.headers["hx-redirect"]) == (401, "/auth/login")
    known = await stage.api("GET", WORKFLOWS, "nobody")
    assert known.status_code == 403
    assert "token:nobody, who has none" in known.json()["detail"]


def replaced_grants(stage: GuardedStage, *grants: Grant) -> None:
    """As if the gateway had been started with these."""
    stage.access.settings = msgspec.structs.replace(stage.access.settings, grants=grants)


CALLS: tuple[tuple[str, str, object, str, int], ...] = (
    ("GET", "/health", None, "viewer", 200),
    ("GET", WORKFLOWS, None, "viewer", 200),
    ("GET", "/namespaces/default/workflow-count", None, "viewer", 200),
    ("GET", "/namespaces/default/queues", None, "viewer", 200),
    ("GET", f"{WORKFLOWS}/ship-1", None, "viewer", 200),
    ("GET", f"{WORKFLOWS}/ship-1/history", None, "viewer", 200),
    ("GET", f"{WORKFLOWS}/ship-1/queue", None, "viewer", 200),
    ("GET", f"{WORKFLOWS}/ship-1/result?wait_ms=0", None, "viewer", 200),
    ("POST", WORKFLOWS, _start("ship-2"), "operator", 200),
    ("POST", f"{WORKFLOWS}/ship-1/signal", {"signal_name": "x"}, "operator", 200),
    ("POST", f"{WORKFLOWS}/ship-1/control", {"control": "pause"}, "operator", 200),
    ("POST", f"{WORKFLOWS}/ship-1/reset", {"event_id": 2}, "operator", 200),
    ("POST", f"{WORKFLOWS}/ship-1/cancel", {}, "operator", 200),
    ("POST", f"{WORKFLOWS}/ship-2/terminate", {}, "operator", 200),
    ("POST", f"{WORKFLOWS}/ship-2/control", {"control": "delete"}, "admin", 200),
    (
        "POST",
        "/namespaces/default/search-attributes",
        {"search_attributes": {"Colour": "Keyword"}},
        "admin",
        200,
    ),
    ("POST", "/namespaces/default/search-attributes/forget", {"names": ["Colour"]}, "admin", 200),
)
LOWER = {"operator": "viewer", "admin": "operator"}


async def test_each_operation_takes_its_role(stage: GuardedStage) -> None:
    """The next lower one is refused and told so; the role itself is let through to the engine."""
    await stage.waiting("ship-1")
    for method, path, body, least, status in CALLS:
        if least in LOWER:
            lower = LOWER[least]
            refused = await stage.api(method, path, lower, body)
            assert (refused.status_code, refused.json()["code"]) == (403, "rpc_permission_denied")
            assert f"Expected the role {least}" in refused.json()["detail"]
            assert f"found {lower} of token:{lower}" in refused.json()["detail"]

        done = await stage.api(method, path, least, body)
        assert done.status_code == status, (path, done.text)


async def test_a_grant_for_a_type_reaches_workflows_of_that_type_alone(
    stage: GuardedStage,
) -> None:
    """In lists and counts, by ID, and for starts over an ID that another type has."""
    await stage.waiting("ship-1")
    await stage.failed("refused-1")

    listed = await stage.api("GET", f"{WORKFLOWS}?query=", "shipper")
    assert [one["workflow_id"] for one in listed.json()["executions"]] == ["ship-1"]
    count = "/namespaces/default/workflow-count?query="
    either = await stage.api("GET", f"{count}WorkflowId = 'x' OR WorkflowId != 'x'", "shipper")
    assert either.json()["count"] == 1
    broken = await stage.api("GET", f"{count}WorkflowId = 'x') OR (WorkflowId != 'x'", "shipper")
    assert broken.status_code == 400
    assert (await stage.api("GET", f"{WORKFLOWS}/ship-1", "shipper")).status_code == 200
    for path in ("", "/history", "/result", "/queue"):
        other = await stage.api("GET", f"{WORKFLOWS}/refused-1{path}", "shipper")
        assert other.status_code == 403, path
        assert "for workflows of type 'Refuse'" in other.json()["detail"]
    assert (await stage.api("GET", f"{WORKFLOWS}/none", "shipper")).status_code == 404

    mine = await stage.api("POST", WORKFLOWS, "shipper", _start("ship-2"))
    assert mine.status_code == 200, mine.text
    foreign_type = await stage.api("POST", WORKFLOWS, "shipper", _start("x", "Refuse"))
    foreign_id = await stage.api("POST", WORKFLOWS, "shipper", _start("refused-1"))
    assert (foreign_type.status_code, foreign_id.status_code) == (403, 403)
    declared = {"search_attributes": {"Colour": "Keyword"}}
    update = {"update_name": "x", "update_id": "1", "start": _start("refused-1")}
    aside = await stage.api("POST", f"{WORKFLOWS}/ship-1/update", "shipper", update)
    assert (aside.status_code, "which the path names" in aside.text) == (400, True)
    hidden = {**_start("x"), "queue": SCHEDULES_QUEUE}
    assert (await stage.api("POST", WORKFLOWS, "shipper", hidden)).status_code == 403
    whole = await stage.api("POST", "/namespaces/default/search-attributes", "shipper", declared)
    assert whole.status_code == 403
    letters = await stage.http.get("/ui/default/letters", headers=stage.bearer("shipper"))
    assert letters.status_code == 403


async def test_a_grant_for_a_type_reaches_no_schedule(stage: GuardedStage) -> None:
    """Neither by an ID alone, nor by a workflow of the granted type under the same ID: it would start whatever it likes."""
    schedule = Schedule(
        ScheduleActionStartWorkflow("Refuse", id="by-schedule", task_queue=QUEUE),
        ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(days=30))]),
    )
    handle = await stage.client.create_schedule("monthly", schedule)
    its_id = workflow_id_of("monthly")
    signal = {"id_conflict_policy": "use_existing", "signal_name": "patch"}
    attempts = [
        await stage.api("POST", WORKFLOWS, "shipper", {**_start(its_id), "queue": "", **more})
        for more in (signal, {"id_conflict_policy": "terminate_existing"})
    ]
    beside = await stage.api("POST", WORKFLOWS, "shipper", _start(its_id))
    paths = [
        await stage.api("GET", f"{WORKFLOWS}/{its_id}{path}?queue={SCHEDULES_QUEUE}", "shipper")
        for path in ("", "/history")
    ]

    answers = [*attempts, beside, *paths]
    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert (await handle.describe()).info.num_actions == 0


async def test_time_travel_takes_an_operator(stage: GuardedStage) -> None:
    """What code holds is more than a history shows; a grant for the type is enough."""
    await stage.waiting("ship-1")
    path = "/ui/default/workflow?id=ship-1&view=travel"
    viewer = await stage.http.get(path, headers=stage.bearer("viewer"))
    assert "Expected a role that may see what the code holds (operator)" in viewer.text
    assert "handed_over" not in viewer.text
    for who in ("operator", "shipper"):
        seen = await stage.http.get(path, headers=stage.bearer(who))
        assert "handed_over" in seen.text, who


async def test_a_namespace_without_a_grant_shows_nothing(stage: GuardedStage) -> None:
    """None of the pages, not even one that asks nothing of the list; and its name is not told."""
    there = Grant(role=Role.ADMIN, to=("token:admin",), namespaces=("elsewhere",))
    replaced_grants(stage, there)
    for method, page, _ in PAGES:
        found = await stage.http.request(
            method, f"/ui/default/{page}", headers=stage.bearer("admin")
        )
        assert found.status_code == 403, page
        assert "Expected the role viewer in namespace" in found.text, page
    health = await stage.api("GET", "/health", "admin")
    assert health.json()["namespaces"] == []
    named = await stage.api("GET", "/namespaces/none/queues", "admin")
    assert "default" not in named.text


async def test_what_is_changed_is_audited_with_who_and_what_became_of_it(
    stage: GuardedStage, caplog: pytest.LogCaptureFixture
) -> None:
    """Also what was refused; never what was only read, and never a value. Histories name who asked."""
    await stage.waiting("ship-1")
    with caplog.at_level(logging.INFO, logger="streamflow.audit"):
        await stage.api("GET", f"{WORKFLOWS}/ship-1", "viewer")
        body = {"signal_name": "hand_over", "identity": "somebody-else"}
        await stage.api("POST", f"{WORKFLOWS}/ship-1/signal", "viewer", body)
        await stage.api("POST", f"{WORKFLOWS}/ship-1/signal", "operator", body)
        await stage.api("POST", f"{WORKFLOWS}/none/cancel?queue={QUEUE}", "operator", {})

    said = [record.getMessage() for record in caplog.records if record.name == "streamflow.audit"]
    assert len(said) == 3
    for line, who, outcome in zip(
        said,
        ["viewer", "operator", "operator"],
        ["failed: permission_denied", "done", "refused: not_found"],
        strict=True,
    ):
        assert f"who='token:{who}'" in line
        assert f"outcome='{outcome}'" in line
    assert "action='SignalWorkflow'" in said[1]
    assert "workflow_id='ship-1'" in said[1]
    assert "signal_name='hand_over'" in said[1]

    history = await stage.api("GET", f"{WORKFLOWS}/ship-1/history", "viewer")
    assert '"token:operator"' in history.text
    assert "somebody-else" not in history.text


async def test_tokens_of_the_provider_are_believed_when_all_of_them_is_right(
    stage: GuardedStage,
) -> None:
    """Issuer, audience, time, key and algorithm."""
    provider = stage.provider
    assert (await stage.api("GET", WORKFLOWS, provider.token("ada"))).status_code == 200
    other_audience = provider.token("ada", audience="shop-api")
    assert (await stage.api("GET", WORKFLOWS, other_audience)).status_code == 200

    stranger = type(provider)(provider.issuer, provider.people)
    claims = provider._claims("ada", "streamflow")
    for bad in (
        provider.token("ada", iss="https://evil.example"),
        provider.token("ada", audience="another-app"),
        provider.token("ada", exp=1),
        provider.token("ada", nbf=9_999_999_999),
        stranger.token("ada"),
        provider.token("ada")[:-6] + "AAAAAA",
        provider.signed({name: value for name, value in claims.items() if name != "exp"}),
        "eyJhbGciOiJub25lIn0." + provider.token("ada").split(".")[1] + ".",
        "a.b.c",
    ):
        found = await stage.api("GET", WORKFLOWS, bad)
        assert found.status_code == 401, bad
        assert "Expected a valid token" in found.json()["detail"]


async def test_a_key_that_is_new_is_fetched_and_not_at_every_strangers_wish(
    stage: GuardedStage,
) -> None:
    """Providers change keys; anybody can write a token that names one."""
    oidc = stage.access.provider
    assert oidc is not None
    assert (await stage.api("GET", WORKFLOWS, stage.provider.token("ada"))).status_code == 200
    stage.provider.rotate()
    asked = stage.provider.keys_asked
    for _ in range(3):
        assert (await stage.api("GET", WORKFLOWS, stage.provider.token("ada"))).status_code == 401
    assert stage.provider.keys_asked == asked

    oidc._read_s -= 60

    assert (await stage.api("GET", WORKFLOWS, stage.provider.token("ada"))).status_code == 200
    assert stage.provider.keys_asked == asked + 1


async def test_an_email_that_was_not_verified_names_nobody(stage: GuardedStage) -> None:
    """Anybody may have typed it at the provider; groups and verified ones count."""
    mallory = await stage.api("GET", WORKFLOWS, stage.provider.token("mallory"))
    assert mallory.status_code == 403
    assert "user:id-of-mallory" in mallory.json()["detail"]
    bo = await stage.api("POST", WORKFLOWS, stage.provider.token("bo"), _start("ship-1"))
    assert bo.status_code == 403
    ada = await stage.api("POST", WORKFLOWS, stage.provider.token("ada"), _start("ship-1"))
    assert ada.status_code == 200


async def test_clients_send_their_key(stage: GuardedStage) -> None:
    """`Client.connect(api_key=...)`; without one, or with too little, the error says what is needed."""
    with pytest.raises(RPCError) as none:
        await Client.connect(stage.url)
    assert none.value.status is RPCStatusCode.UNAUTHENTICATED
    async with await Client.connect(stage.url, api_key=TOKENS["viewer"]) as client:
        assert (await client.count_workflows()).count == 0
        with pytest.raises(RPCError) as refused:
            await client.start_workflow("Ship", {"to": "Ada"}, id="ship-1", task_queue=QUEUE)
    assert refused.value.status is RPCStatusCode.PERMISSION_DENIED
    assert "Expected the role operator" in refused.value.message
