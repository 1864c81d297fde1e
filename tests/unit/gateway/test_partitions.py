"""Who serves a queue, over HTTP: for viewers of the namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from openapi_schema_validator import OAS31Validator

from streamflow.model.processes import ProcessReport, StandbyReport
from streamflow.topology.processes import report_record
from tests.unit.gateway.guarded import Guarded, guarded

pytestmark = pytest.mark.asyncio

QUEUES = "/namespaces/default/queues"
PATH = f"{QUEUES}/orders/partitions"


@pytest_asyncio.fixture
async def stage() -> AsyncIterator[Guarded]:
    """Nobody has a partition; `b` stands by for the second."""
    async with guarded() as stage:
        standby = (StandbyReport(partition=1, lag=12),)
        producer = stage.log.producer()
        producer.send(
            report_record("default", ProcessReport(queue="orders", instance="b", standby=standby))
        )
        producer.flush(10_000)
        producer.close()
        yield stage


async def test_viewers_see_each_partition(stage: Guarded) -> None:
    """Those of its inbox, then those of its activities, as the API's own description says."""
    answer = await stage.given("GET", PATH, "viewer")

    found = [(one["role"], one["partition"], one["instance"]) for one in answer["partitions"]]
    assert found == [
        ("processor", 0, None),
        ("processor", 1, None),
        ("activities", 0, None),
        ("activities", 1, None),
    ]
    assert [one["standbys"] for one in answer["partitions"]] == [{}, {"b": 12}, {}, {}]
    document = await stage.given("GET", "/openapi.json", "viewer")
    path = "/api/v1/namespaces/{namespace}/queues/{queue}/partitions"
    said = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    whole = {**said["schema"], "components": document["components"]}
    assert [error.message for error in OAS31Validator(whole).iter_errors(answer)] == []


async def test_others_do_not(stage: Guarded) -> None:
    """Whoever is granted some workflow types, or another namespace."""
    for who in ("shipper", "shopkeeper"):
        assert "Expected the role viewer" in await stage.refused("GET", PATH, who, status=403)


async def test_a_queue_that_is_not_there_is_not_found(stage: Guarded) -> None:
    path = f"{QUEUES}/n%2Fone/partitions"
    why = await stage.refused("GET", path, "viewer", status=404)
    assert "Expected a task queue, found 'n/one'; there are: orders" in why
