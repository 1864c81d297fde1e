"""The API's description, made of the table of routes and of the types themselves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import msgspec

from streamflow.client.http import api_v1
from streamflow.gateway import idempotency
from streamflow.gateway.routing import Route
from streamflow.model.answers import Done

_REF = "#/components/schemas/{name}"


def openapi_document(
    routes: Sequence[Route], *, has_login: bool = False, has_webhooks: bool = False
) -> dict[str, Any]:
    """The document in OpenAPI 3.1, as plain JSON values. Webhooks are told without their names, which are their owners' business."""
    types = sorted(
        {cls for route in routes for cls in (*route.answers, *([route.body] if route.body else []))}
        | {api_v1.Problem, Done},
        key=lambda cls: cls.__name__,
    )
    _, schemas = msgspec.json.schema_components(types, ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(api_v1.PREFIX + route.path, {})[route.method.lower()] = _operation(route)
    if has_webhooks:
        paths["/hooks/{name}"] = {"post": _delivery()}
    components: dict[str, Any] = {"schemas": schemas}
    if has_login:
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "streamflow",
            "version": version("streamflow"),
            "description": "Workflows over HTTP. Payloads are as stored; times are milliseconds since the epoch.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": components,
        **({"security": [{"bearer": []}]} if has_login else {}),
    }
    # Tuples become lists: who checks the document expects JSON's own types.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))
    return plain


def _delivery() -> dict[str, Any]:
    """What a service sends to a webhook. It carries a signature in place of a token."""
    headers = {
        "X-Hub-Signature-256": "Of a webhook that signs as GitHub does: sha256= and the hex HMAC-SHA-256 of the body.",
        "X-GitHub-Delivery": "Tells such deliveries apart.",
        "Stripe-Signature": "Of one that signs as Stripe does: t=SECONDS,v1=HEX, the HMAC-SHA-256 of SECONDS.BODY.",
        "X-Signature": "Of any other: the hex HMAC-SHA-256 of the body.",
        idempotency.HEADER: "Tells such deliveries apart.",
    }
    return {
        "operationId": "deliver_webhook",
        "summary": "Starts or signals a workflow, as the gateway's file of webhooks says of this name.",
        "security": [],
        "parameters": [
            *_path_parameters("/hooks/{name}"),
            *(
                {"name": name, "in": "header", "description": about, "schema": {"type": "string"}}
                for name, about in headers.items()
            ),
        ],
        "requestBody": {"required": True, "content": _json({})},
        "responses": _responses(_reference(Done), "application/json"),
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.about,
        "parameters": [*_path_parameters(route.path), *_other_parameters(route)],
        "responses": _responses(_answers(route), route.media_type),
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": _json(_reference(route.body))}
    return operation


def _responses(answer: dict[str, Any], media_type: str) -> dict[str, Any]:
    return {
        "200": {"description": "The answer.", "content": {media_type: {"schema": answer}}},
        "default": {
            "description": "Why not.",
            "content": {api_v1.PROBLEM_TYPE: {"schema": _reference(api_v1.Problem)}},
        },
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _other_parameters(route: Route) -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {
            "name": parameter.name,
            "in": parameter.place,
            "description": parameter.about,
            "schema": {"type": parameter.type},
        }
        for parameter in route.parameters
    ]
    if route.method == "POST":
        parameters.append(
            {
                "name": api_v1.MESSAGE_ID_HEADER,
                "in": "header",
                "description": "Names the message, so that sending it again does no harm.",
                "schema": {"type": "string", "maxLength": api_v1.MESSAGE_ID_CHARS_MAX},
            }
        )
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "The same for callers who would rather have it checked: another body is refused with 422.",
                "schema": {"type": "string", "maxLength": idempotency.KEY_CHARS_MAX},
            }
        )
    return parameters


def _answers(route: Route) -> dict[str, Any]:
    if len(route.answers) == 1:
        return _reference(route.answers[0])
    return {"anyOf": [_reference(cls) for cls in route.answers]}


def _reference(cls: type[msgspec.Struct]) -> dict[str, Any]:
    return {"$ref": _REF.format(name=cls.__name__)}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
