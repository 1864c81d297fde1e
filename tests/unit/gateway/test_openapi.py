"""What the API says of itself is OpenAPI 3.1, and its answers are what it says."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from streamflow.client.http import api_v1
from streamflow.gateway.openapi import openapi_document
from streamflow.gateway.routes import ROUTES
from tests.ui.shop import QUEUE
from tests.ui.stage import Stage

PATH = "/namespaces/{namespace}/workflows/{workflow_id}"


@pytest.mark.parametrize("has_login", [False, True])
def test_the_document_is_openapi(has_login: bool) -> None:
    """By the specification's own schema, with every default of the type that it is a default of."""
    document = openapi_document(ROUTES, has_login=has_login)

    validate(document)
    assert ("security" in document) is has_login


def test_webhooks_are_described_where_there_are_any() -> None:
    """Signed instead of logged in to, and without a name of one."""
    document = openapi_document(ROUTES, has_login=True, has_webhooks=True)

    validate(document)
    delivery = document["paths"]["/hooks/{name}"]["post"]
    assert delivery["security"] == []
    sent = {one["name"] for one in delivery["parameters"]}
    assert {"name", "X-Hub-Signature-256", "Stripe-Signature", "X-Signature"} <= sent
    assert "/hooks/{name}" not in openapi_document(ROUTES)["paths"]


def test_operations_are_named_once_and_described() -> None:
    """Generators of clients make functions of the names."""
    names = [route.name for route in ROUTES]
    assert len(set(names)) == len(names)
    assert len({(route.method, route.path) for route in ROUTES}) == len(names)
    document = openapi_document(ROUTES)
    for name, schema in document["components"]["schemas"].items():
        assert schema.get("type") == "object" or "anyOf" in schema or "enum" in schema, name


@pytest.mark.asyncio
@pytest.mark.timeout(120)
async def test_answers_are_what_the_document_says(stage: Stage) -> None:
    """Of a running engine: each kind of answer, and a refusal."""
    await stage.completed("ship-1")
    await stage.retrying("weigh-1")
    await stage.stuck("broken-1")
    document = (await stage.http.get("/api/v1/openapi.json")).json()
    checked = []
    for path, values in (
        ("/health", {}),
        ("/namespaces/{namespace}/queues", {}),
        ("/namespaces/{namespace}/workflows", {}),
        ("/namespaces/{namespace}/workflow-count", {}),
        ("/namespaces/{namespace}/search-attributes", {}),
        (PATH, {"workflow_id": "ship-1"}),
        (PATH, {"workflow_id": "weigh-1"}),
        (PATH, {"workflow_id": "broken-1"}),
        (f"{PATH}/result", {"workflow_id": "ship-1"}),
        (f"{PATH}/history", {"workflow_id": "ship-1"}),
        (f"{PATH}/queue", {"workflow_id": "ship-1"}),
    ):
        address = path.format(namespace="default", **values)
        answer = await stage.http.get(api_v1.PREFIX + address)
        assert answer.status_code == 200, answer.text
        _fits(document, _schema(document, path, "get"), answer)
        checked.append(path)
    posted = await stage.http.post(
        api_v1.PREFIX + "/namespaces/default/workflows",
        json={"queue": QUEUE, "workflow_id": "ship-2", "workflow_type": "Ship"},
    )
    _fits(document, _schema(document, "/namespaces/{namespace}/workflows", "post"), posted)
    refused = await stage.http.get(f"{api_v1.PREFIX}/namespaces/none/queues")
    _fits(document, {"$ref": "#/components/schemas/Problem"}, refused)
    assert refused.status_code == 404


def _schema(document: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][api_v1.PREFIX + path][method]["responses"]["200"]
    schema: dict[str, Any] = found["content"]["application/json"]["schema"]
    return schema


def _fits(document: dict[str, Any], schema: dict[str, Any], answer: httpx.Response) -> None:
    whole = {**schema, "components": document["components"]}
    errors = [error.message for error in OAS31Validator(whole).iter_errors(answer.json())]
    assert errors == [], answer.text
