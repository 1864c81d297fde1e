"""Dead letters over HTTP: who may what with them, what is noted of it, and what is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from openapi_schema_validator import OAS31Validator

from streamflow.client.http import api_v1_letters as api
from streamflow.ports import Log, Record, TopicPartition
from streamflow.topology import partition_for
from streamflow.wire.inbox import dead_letter
from tests.unit.gateway.guarded import Guarded, guarded

pytestmark = pytest.mark.asyncio

INBOX = "default.orders.inbox"
PATH = "/namespaces/default/dead-letters"
SIGNAL = json.dumps({"type": "signal", "signal": "paid", "args": [1]}).encode()


def put(log: Log, key: bytes, value: bytes, stage: str, message: str) -> None:
    record = Record(INBOX, 0, 5, key, value, (("shop", b"north"),), 0)
    producer = log.producer()
    producer.send(dead_letter(record, topic="default.dead-letters", stage=stage, message=message))
    producer.flush(10_000)
    producer.close()


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Guarded]:
    """With one letter that can be re-driven, 0/0, and one that cannot, 0/1."""
    async with guarded() as stage:
        put(stage.log, b"order-1", SIGNAL, "address", "Expected a workflow")
        put(stage.log, b"order-2", b"\xff\x00", "VALUE_CONVERTER", "Expected JSON")
        yield stage


def inbox(stage: Guarded) -> list[Record]:
    """What is on the home partition of `order-1`."""
    place = TopicPartition(INBOX, partition_for("order-1", 2))
    reader = stage.log.reader()
    found = [one for batch in reader.read(place, 0, reader.end_offset(place)) for one in batch]
    reader.close()
    return found


async def states(stage: Guarded) -> dict[str, str]:
    found = await stage.given("GET", f"{PATH}?state=all", "viewer")
    return {one["id"]: one["state"] for one in found["letters"]}


async def test_viewers_read_them(stage: Guarded) -> None:
    """By pages and by filters, each whole with what it says and what to do."""
    first = await stage.given("GET", f"{PATH}?page_size=1", "viewer")
    second = await stage.given(
        "GET", f"{PATH}?page_size=1&page_token={first['next_page_token']}", "viewer"
    )
    both = [one["id"] for page in (first, second) for one in page["letters"]]
    assert sorted(both) == ["0/0", "0/1"]
    assert (first["count"], second["count"], second["next_page_token"]) == (2, 2, "")
    for query in (
        "reason=address",
        "text=WORKFLOW",
        "workflow_id=order-1",
        "queue=orders&text=a+w",
    ):
        found = await stage.given("GET", f"{PATH}?{query}", "viewer")
        assert [one["id"] for one in found["letters"]] == ["0/0"], query
    later = await stage.given("GET", f"{PATH}?since_ms={2**52}", "viewer")
    assert (later["letters"], later["count"]) == ([], 0)

    whole = await stage.given("GET", f"{PATH}/0/0", "viewer")
    assert base64.b64decode(whole["value"]) == SIGNAL
    assert whole["reads_as"] == "SignalWorkflow"
    assert whole["fields"]["signal_name"] == "paid"
    assert "streamflow dlq redrive 0/0" in whole["advice"]
    assert {"name": "shop", "value": base64.b64encode(b"north").decode()} in whole["headers"]


async def test_operators_redrive_and_purge_them_and_it_is_noted(stage: Guarded) -> None:
    """With the letters by name, those that were not re-driven among them; a dry run changes nothing."""
    both = {"ids": ["0/0", "0/1"]}
    for path in ("redrive", "purge"):
        dry = await stage.given("POST", f"{PATH}/{path}", "operator", {**both, "dry_run": True})
        assert dry
    assert await states(stage) == {"0/0": "open", "0/1": "open"}
    assert inbox(stage) == []
    assert stage.audited() == []

    done = await stage.given("POST", f"{PATH}/redrive", "operator", both)
    assert [(one["id"], one["to"] != "") for one in done["outcomes"]] == [
        ("0/0", True),
        ("0/1", False),
    ]
    assert "letter again" in done["outcomes"][1]["refusal"]
    assert [(one.key, one.value) for one in inbox(stage)] == [(b"order-1", SIGNAL)]
    away = await stage.given("POST", f"{PATH}/purge", "operator", both)
    assert [one["id"] for one in away["letters"]] == ["0/1"]
    assert away["closed_below"]["default.dead-letters/0"] >= 2
    assert await states(stage) == {"0/0": "redriven", "0/1": "discarded"}

    again = await stage.given("POST", f"{PATH}/redrive", "operator", {"ids": ["0/1"]})
    assert "found it discarded" in again["outcomes"][0]["refusal"]
    first, second, third = stage.audited()
    assert (first.who, first.role, first.action) == (
        "token:operator",
        "operator",
        "RedriveDeadLetter",
    )
    assert (first.outcome, first.details) == ("done", {"letter": "0/0, 0/1", "not": "0/1"})
    assert (second.action, second.details) == ("DiscardDeadLetter", {"letter": "0/0, 0/1"})
    assert (third.outcome, third.details) == (
        "refused: not_redriven",
        {"letter": "0/1", "not": "0/1"},
    )


async def test_who_lacks_the_role_is_refused(stage: Guarded) -> None:
    """A grant for workflow types, or for another namespace, is none for letters; what was tried is noted."""
    for path in ("redrive", "purge"):
        for dry_run in (True, False):
            body = {"ids": ["0/0"], "dry_run": dry_run}
            why = await stage.refused("POST", f"{PATH}/{path}", "viewer", body, status=403)
            assert "Expected the role operator in namespace 'default', found viewer" in why
    for who in ("shipper", "shopkeeper"):
        for path in (PATH, f"{PATH}/0/0"):
            assert "role viewer" in await stage.refused("GET", path, who, status=403)
        await stage.refused("POST", f"{PATH}/purge", who, {"ids": ["0/0"]}, status=403)
    await stage.refused("GET", PATH, "", status=401)

    assert await states(stage) == {"0/0": "open", "0/1": "open"}
    assert {one.outcome for one in stage.audited()} == {"failed: permission_denied"}
    assert len(stage.audited()) == 4


async def test_the_same_request_again_has_the_first_answer(stage: Guarded) -> None:
    """By its message ID and by its key; a key with another body is refused."""
    body = {"ids": ["0/0"]}
    path = f"{PATH}/redrive"
    first = await stage.given("POST", path, "operator", body, idempotency_key="1")
    second = await stage.given("POST", path, "operator", body, idempotency_key="1")
    assert first == second
    assert first["outcomes"][0]["to"]
    assert len(stage.audited()) == 1
    other = await stage.call("POST", path, "operator", {"ids": ["0/1"]}, idempotency_key="1")
    assert other.status_code == 422

    again = {"ids": ["0/0"], "again": True}
    for _ in range(2):
        await stage.given("POST", path, "operator", again, sf_message_id="m")
    assert len(inbox(stage)) == 2
    mine = await stage.given("POST", path, "admin", body, idempotency_key="1")
    assert "found it redriven" in mine["outcomes"][0]["refusal"], "another caller's key is another"


async def test_a_page_of_another_site_does_nothing(stage: Guarded) -> None:
    """Nor does a browser's session."""
    purge = f"{PATH}/purge"
    foreign = await stage.call(
        "POST", purge, "operator", {"ids": ["0/0"]}, origin="https://elsewhere.example"
    )
    assert foreign.status_code == 403
    session = stage.session("operator")
    browser = await stage.call("POST", purge, "", {"ids": ["0/0"]}, cookie=session)
    assert "found a browser's session" in browser.json()["detail"]
    assert (await stage.call("GET", PATH, "", cookie=session)).status_code == 200
    assert await states(stage) == {"0/0": "open", "0/1": "open"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "why"),
    [
        ("GET", "?state=gone", None, 400, "one of open, redriven, discarded, all, found 'gone'"),
        ("GET", "?reason=x", None, 400, "Expected reason as one of unreadable, address"),
        ("GET", "?since_ms=-1", None, 400, "Expected since_ms"),
        ("GET", "?page_size=0", None, 400, "Expected page_size from 1 to 1000, found 0"),
        ("GET", "?page_token=x", None, 400, "Expected page_token as the page before gave it"),
        ("GET", "/0/x", None, 400, "Expected a letter's ID such as 0/17, found '0/x'"),
        ("GET", "/0/9", None, 404, "Expected a letter 0/9 in default.dead-letters, found none"),
        ("POST", "/redrive", {}, 400, "missing required field `ids`"),
        ("POST", "/redrive", {"ids": ["0"]}, 400, "Expected a letter's ID such as 0/17"),
        ("POST", "/redrive", {"ids": ["0/0", "0/9"]}, 404, "Expected the letters 0/9"),
        ("POST", "/purge", {"ids": ["0/0", "0/9"]}, 404, "Expected the letters 0/9"),
        (
            "POST",
            "/purge",
            {"ids": [f"0/{n}" for n in range(api.IDS_MAX + 1)]},
            400,
            "Expected at most 80 IDs, found 81",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_with_what_was_expected(
    stage: Guarded, method: str, path: str, body: object, status: int, why: str
) -> None:
    assert why in await stage.refused(method, PATH + path, "operator", body, status=status)
    assert await states(stage) == {"0/0": "open", "0/1": "open"}


async def test_answers_are_what_the_document_says(stage: Guarded) -> None:
    """Of each operation."""
    document = await stage.given("GET", "/openapi.json", "viewer")
    below = "/api/v1/namespaces/{namespace}/dead-letters"
    for path, method, called, body in (
        ("", "get", "?state=all", None),
        ("/{partition}/{offset}", "get", "/0/0", None),
        ("/redrive", "post", "/redrive", {"ids": ["0/0", "0/1"]}),
        ("/purge", "post", "/purge", {"ids": ["0/1"]}),
    ):
        answer = await stage.given(method.upper(), PATH + called, "operator", body)
        said = document["paths"][below + path][method]["responses"]["200"]
        schema = said["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        assert [error.message for error in OAS31Validator(whole).iter_errors(answer)] == []
