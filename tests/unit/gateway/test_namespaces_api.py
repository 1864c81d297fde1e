"""Namespaces over HTTP: whoever is granted one finds and changes that one alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from openapi_schema_validator import OAS31Validator

from tests.unit.gateway.guarded import Guarded, guarded

pytestmark = pytest.mark.asyncio

SHOP = "/namespaces/shop"


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Guarded]:
    async with guarded() as stage:
        notes = {"description": "the shop", "dev": True}
        await stage.given("POST", SHOP, "admin", notes)
        yield stage


async def listed(stage: Guarded, who: str) -> list[tuple[str, str]]:
    found = await stage.given("GET", "/namespaces", who)
    return [(one["namespace"], one["description"]) for one in found["namespaces"]]


async def test_each_sees_what_is_granted(stage: Guarded) -> None:
    """A grant for one namespace shows no other; one for some workflow types not what the namespace is for."""
    assert await listed(stage, "viewer") == [("default", ""), ("shop", "the shop")]
    assert await listed(stage, "shopkeeper") == [("shop", "the shop")]
    assert await listed(stage, "shipper") == [("default", ""), ("shop", "")]
    assert (await stage.given("GET", SHOP, "viewer"))["queues"] == [
        {"name": "orders", "kind": "workflow", "partitions": 2}
    ]
    assert "role viewer" in await stage.refused("GET", SHOP, "shipper", status=403)
    other = "/namespaces/default"
    assert "role viewer" in await stage.refused("GET", other, "shopkeeper", status=403)


async def test_admins_of_it_make_and_change_it_and_it_is_noted(stage: Guarded) -> None:
    """With what they said; who lacks the role changes nothing, and that is noted too."""
    quota = {"open_workflows_max": 7, "owner": "ada"}
    for who in ("viewer", "operator", "shipper"):
        for path, body in ((SHOP, {"dev": True}), (f"{SHOP}/update", quota)):
            assert "role admin" in await stage.refused("POST", path, who, body, status=403)
    other = "/namespaces/default/update"
    assert "role admin" in await stage.refused("POST", other, "shopkeeper", quota, status=403)

    changed = await stage.given("POST", f"{SHOP}/update", "shopkeeper", quota)
    again = await stage.given("POST", f"{SHOP}/update", "admin", {"starts_per_second": 1.5})

    assert (changed["open_workflows_max"], changed["owner"]) == (7, "ada")
    assert (again["open_workflows_max"], again["starts_per_second"]) == (7, 1.5)
    assert again["description"] == "the shop"
    free = await stage.given("POST", f"{SHOP}/update", "admin", {"open_workflows_max": None})
    assert (free["open_workflows_max"], free["starts_per_second"]) == (None, 1.5)
    noted = [(one.who, one.action, one.outcome) for one in stage.audited("shop")]
    assert noted[0] == ("token:admin", "CreateNamespace", "done")
    assert {outcome for _, _, outcome in noted[1:7]} == {"failed: permission_denied"}
    assert noted[7] == ("token:shopkeeper", "ChangeNamespace", "done")
    assert stage.audited("shop")[7].details == {"open_workflows_max": "7", "owner": "ada"}


@pytest.mark.parametrize(
    ("path", "body", "status", "why"),
    [
        (f"{SHOP}/update", {}, 400, "found nothing to change"),
        (
            f"{SHOP}/update",
            {"queue": "orders", "owner": "ada"},
            400,
            "for the queue, found nothing",
        ),
        (f"{SHOP}/update", {"open_workflows_max": -1}, 400, "Expected `int` >= 0"),
        (f"{SHOP}/update", {"starts_per_second": "x"}, 400, "ChangeNamespaceBody"),
        (f"{SHOP}/update", {"queue": "no", "open_workflows_max": 1}, 404, "it has orders"),
        (SHOP, {"replication_factor": 0}, 400, "Expected `int` >= 1"),
        (SHOP, {"owner": "a" * 1_001}, 400, "length <= 1000"),
        ("/namespaces/none", {}, 404, "Expected one of the namespaces default, shop"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    stage: Guarded, path: str, body: object, status: int, why: str
) -> None:
    before = await stage.given("GET", SHOP, "admin")
    assert why in await stage.refused("POST", path, "admin", body, status=status)
    assert await stage.given("GET", SHOP, "admin") == before


async def test_answers_are_what_the_document_says(stage: Guarded) -> None:
    document = await stage.given("GET", "/openapi.json", "viewer")
    for path, called in (("/namespaces", "/namespaces"), ("/namespaces/{namespace}", SHOP)):
        answer = await stage.given("GET", called, "viewer")
        said = document["paths"][f"/api/v1{path}"]["get"]["responses"]["200"]
        schema = said["content"]["application/json"]["schema"]
        whole = {**schema, "components": document["components"]}
        assert [error.message for error in OAS31Validator(whole).iter_errors(answer)] == []
