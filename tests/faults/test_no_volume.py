"""A workflow whose step ends its process, in a pod that has no volume: the log remembers what the disk cannot."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from streamflow.client import Client
from streamflow.service import RPCError
from tests.faults.deployment import Deployment
from tests.faults.test_bad_code import QUICK

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio, pytest.mark.timeout(240)]

ORDERS_BESIDE = 20
ENDS_MAX = 7
"""Five by design; a process may also end before it has noted anything."""


async def test_a_first_step_that_never_yields_is_quarantined_without_a_volume(
    deployment: Deployment,
) -> None:
    """And all orders around it end."""
    node = deployment.both("app", "--module=tests.faults.code.bad", *QUICK).start()
    deployment.outsider.start("bad-LoopsInC", "LoopsInC")
    deployment.drive(deployment.order(ORDERS_BESIDE))
    deployment.outsider.flush()

    ends = 0
    async with await Client.connect(deployment.bootstrap, namespace=deployment.namespace) as client:
        handle = client.get_workflow_handle("bad-LoopsInC", task_queue="orders")
        trouble = None
        while trouble is None or trouble.kind != "quarantined":
            assert ends <= ENDS_MAX, "the process ends for ever"
            if not node.running:
                ends += 1
                node.forget_state()
                node.start()
            deployment.history.follow(0.2)
            try:
                description = await handle.describe(rpc_timeout=timedelta(seconds=1))
                trouble = description.trouble
            except RPCError:
                await asyncio.sleep(0.1)

    assert ends >= 3
    assert "never yields" in trouble.advice
    node.stop()
    node.start("--module=tests.faults.code.mended")
    deployment.finish(besides={"bad-LoopsInC"})
