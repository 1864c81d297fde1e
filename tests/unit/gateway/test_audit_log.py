"""The audit log over HTTP: for admins of the namespace, by pages."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from openapi_schema_validator import OAS31Validator

from tests.unit.gateway.guarded import Guarded, guarded

pytestmark = pytest.mark.asyncio

PATH = "/namespaces/default/audit"


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Guarded]:
    """After three attempts, the last of them refused."""
    async with guarded() as stage:
        attributes = "/namespaces/default/search-attributes"
        for name in ("Colour", "Size"):
            await stage.given("POST", attributes, "admin", {"search_attributes": {name: "Keyword"}})
        await stage.refused("POST", f"{attributes}/forget", "viewer", {"names": []}, status=403)
        yield stage


async def test_admins_read_it_page_by_page(stage: Guarded) -> None:
    """Newest first, each entry once; and reading it is no entry."""
    seen: list[tuple[str, str, str]] = []
    token = ""
    for _ in range(3):
        page = await stage.given("GET", f"{PATH}?page_size=1&page_token={token}", "admin")
        [one] = page["entries"]
        seen.append((one["entry"]["who"], one["entry"]["action"], one["entry"]["outcome"]))
        token = page["next_page_token"]
    assert seen == [
        ("token:viewer", "ForgetSearchAttributes", "failed: permission_denied"),
        ("token:admin", "DeclareSearchAttributes", "done"),
        ("token:admin", "DeclareSearchAttributes", "done"),
    ]
    assert token == ""
    assert len(stage.audited()) == 3


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("user=VIEWER", 1),
        ("action=declaresearchattributes", 2),
        ("workflow_id=order-1", 0),
        (f"since_ms={2**52}", 0),
    ],
)
async def test_it_is_narrowed(stage: Guarded, query: str, count: int) -> None:
    found = await stage.given("GET", f"{PATH}?{query}", "admin")
    assert len(found["entries"]) == count


async def test_nobody_else_reads_it(stage: Guarded) -> None:
    """An admin of another namespace finds that one's alone."""
    for who in ("viewer", "operator", "shopkeeper", "shipper"):
        assert "Expected the role admin" in await stage.refused("GET", PATH, who, status=403)
    assert (await stage.given("GET", "/namespaces/shop/audit", "shopkeeper"))["entries"] == []


@pytest.mark.parametrize(
    "query",
    ["page_size=0", "page_size=1001", "page_token=x", "since_ms=x", f"since_ms={'9' * 5_000}"],
    ids=lambda query: query[:20],
)
async def test_what_makes_no_sense_is_refused(stage: Guarded, query: str) -> None:
    why = await stage.refused("GET", f"{PATH}?{query}", "admin", status=400)
    assert f"Expected {query.partition('=')[0]}" in why


async def test_answers_are_what_the_document_says(stage: Guarded) -> None:
    document = await stage.given("GET", "/openapi.json", "viewer")
    answer = await stage.given("GET", PATH, "admin")
    said = document["paths"]["/api/v1/namespaces/{namespace}/audit"]["get"]["responses"]["200"]
    whole = {**said["content"]["application/json"]["schema"], "components": document["components"]}
    assert [error.message for error in OAS31Validator(whole).iter_errors(answer)] == []
