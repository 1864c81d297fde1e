"""Callers who wait while their processor dies: they hear the result from its successor, without waiting out a long poll."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from streamflow.client import Client
from streamflow.service import RPCError
from tests.faults import orders
from tests.faults.deployment import QUEUE, Deployment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240), pytest.mark.asyncio]

SESSION_S = 6
PROMPT_S = 5
"""Within this time of the successor's work: a fourth of the long poll, and much for a busy machine."""


async def test_waiting_callers_hear_of_results_promptly_after_a_takeover(
    deployment: Deployment,
) -> None:
    """A result that the successor brings about, and one that was recorded but whose caller could not be told."""
    first = deployment.processor("first").start()
    deployment.worker("w").start()
    async with await Client.connect(deployment.bootstrap, namespace=deployment.namespace) as client:
        numbers = {f"order-{n}": n for n in range(80, 100) if orders.expected(n) == orders.RATED}
        deployment.numbers.update(numbers)
        handles = [
            await client.start_workflow("Order", number, id=id_, task_queue=QUEUE)
            for id_, number in numbers.items()
        ]
        waiting = [asyncio.ensure_future(handle.result()) for handle in handles]
        await asyncio.sleep(2)  # they are on the first owner's list, which nothing outside it shows

        await asyncio.to_thread(first.kill)
        await asyncio.to_thread(lambda: deployment.processor("second").start())
        began = time.monotonic()
        for handle in handles:
            await handle.signal("picked_up", rpc_timeout=timedelta(seconds=30))
            await handle.signal("delivered", rpc_timeout=timedelta(seconds=30))
        acted = time.monotonic()
        results = await asyncio.wait_for(asyncio.gather(*waiting), PROMPT_S)

    assert results == [orders.RATED] * len(numbers)
    assert acted - began < SESSION_S + 20, "the successor came late, which is another test's matter"
    await asyncio.to_thread(deployment.finish)


async def test_a_deadline_after_a_kill_says_when_the_owner_was_last_at_work(
    deployment: Deployment,
) -> None:
    """As the coordinator and the offset's note have it."""
    processor = deployment.processor("gone").start()
    deployment.worker("w").start()
    async with await Client.connect(deployment.bootstrap, namespace=deployment.namespace) as client:
        deployment.numbers["order-3"] = 3
        handle = await client.start_workflow("Order", 3, id="order-3", task_queue=QUEUE)
        await handle.describe()

        await asyncio.to_thread(processor.kill)
        with pytest.raises(RPCError, match="'gone' owns") as while_its_session_lasts:
            await handle.query("status", rpc_timeout=timedelta(seconds=1))
        await asyncio.sleep(SESSION_S + 1)
        with pytest.raises(RPCError, match="no owner since some time after") as refused:
            await handle.query("status", rpc_timeout=timedelta(seconds=1))

    assert "last transaction at" in str(while_its_session_lasts.value)
    assert "'gone' did its last transaction" in str(refused.value)
    await asyncio.to_thread(lambda: processor.start())
    await asyncio.to_thread(deployment.finish)
