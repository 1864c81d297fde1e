"""Numbers that no record and no list store holds are refused as what they are: the caller's mistake."""

from __future__ import annotations

import msgspec
import pytest
from starlette.requests import Request

from streamflow.client.http import api_v1
from streamflow.gateway.requests import read
from tests.unit.gateway.guarded import guarded

pytestmark = pytest.mark.asyncio
WORKFLOWS = "/namespaces/default/workflows"
START = {"queue": "orders", "workflow_id": "x", "workflow_type": "Order"}
LARGE = 10**30


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (WORKFLOWS, START | {"start_delay_ms": LARGE}),
        (WORKFLOWS, START | {"priority": -LARGE}),
        (WORKFLOWS, START | {"retry_policy": {"initial_interval_ms": 2**63}}),
        (f"{WORKFLOWS}/x/reset?queue=orders", {"event_id": LARGE}),
        (f"{WORKFLOWS}/x/reset?queue=orders", {"event_id": 10**4_000}),
    ],
)
async def test_an_integer_beyond_64_bits_is_refused(path: str, body: dict[str, object]) -> None:
    async with guarded() as api:
        said = await api.refused("POST", path, "admin", body, status=400)

    assert said.startswith("Expected")


@pytest.mark.parametrize(
    "query",
    [
        f"ExecutionDuration > '{LARGE}h'",
        f"ExecutionDuration > {LARGE}h",
        f"StartTime > NOW - {LARGE}d",
        "ExecutionDuration > '10000000000000000000h'",
    ],
)
async def test_a_duration_beyond_64_bits_is_refused(query: str) -> None:
    async with guarded() as api:
        said = await api.refused("GET", f"{WORKFLOWS}?query={query}", "admin", status=400)

    assert "Expected a duration" in said


async def test_long_digits_elsewhere_are_read() -> None:
    """In texts, and an integer of just 64 bits."""
    request = Request({"type": "http"})
    start = START | {"workflow_id": str(LARGE), "start_delay_ms": 2**63 - 1}
    request.state.body = msgspec.json.encode(start)

    body = await read(request, api_v1.StartBody)

    assert (body.workflow_id, body.start_delay_ms) == (str(LARGE), 2**63 - 1)
