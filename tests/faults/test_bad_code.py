"""Workflow code that raises, loops or cheats: its runs wait with advice, all others go on, and new code heals them."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from streamflow.client import Client, WorkflowExecutionStatus
from tests.faults.deployment import Deployment, Node

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio, pytest.mark.timeout(240)]

ORDERS_BESIDE = 100
QUICK = ("--step-cpu-limit-ms=500", "--step-exit-after-ms=1500")
"""So that a loop in C ends its process after two seconds, not after twelve."""
EXPECTED = {
    "Buggy": ("stuck", "Fix the code"),
    "LoopsInPython": ("looping", "Move long computations to activities"),
    "LoopsInC": ("quarantined", "never yields"),
    "ReadsTheClock": ("stuck", "Fix the code"),
    "NotYetThere": ("unregistered", "Deploy a processor"),
}
RESULTS = {
    "Buggy": "mended",
    "LoopsInPython": "mended",
    "LoopsInC": "mended",
    "ReadsTheClock": "True",
    "NotYetThere": "here",
}


async def test_bad_code_waits_with_advice_beside_orders_that_end_and_is_healed_by_new_code(
    deployment: Deployment,
) -> None:
    """Whatever the code did to its process, nobody else's work is lost, and nothing has to be started again by hand."""
    node = deployment.both("app", "--module=tests.faults.code.bad", *QUICK).start()
    placed = deployment.order(ORDERS_BESIDE // 2)
    for workflow in EXPECTED:
        deployment.outsider.start(f"bad-{workflow}", workflow)
    placed += deployment.order(ORDERS_BESIDE // 2)
    deployment.drive(placed)
    deployment.outsider.flush()

    restarts = await _restarted_until_all_closed(deployment, node, workflows=ORDERS_BESIDE)
    async with await Client.connect(deployment.bootstrap, namespace=deployment.namespace) as client:
        for workflow, (kind, advice) in EXPECTED.items():
            description = await client.get_workflow_handle(f"bad-{workflow}").describe(
                rpc_timeout=timedelta(seconds=60)
            )
            trouble = description.trouble
            assert description.status is WorkflowExecutionStatus.RUNNING, workflow
            assert trouble is not None, workflow
            assert trouble.kind == kind, (workflow, trouble)
            assert advice in trouble.advice, (workflow, trouble)
            assert trouble.message, workflow
        node.stop()
        node.start("--module=tests.faults.code.mended")
        for workflow, expected in RESULTS.items():
            assert await client.get_workflow_handle(f"bad-{workflow}").result() == expected

    verdict = deployment.finish(besides={f"bad-{workflow}" for workflow in EXPECTED})
    assert restarts >= 3, "the loop in C should have ended its process"
    assert verdict.executions >= ORDERS_BESIDE


async def _restarted_until_all_closed(deployment: Deployment, node: Node, *, workflows: int) -> int:
    """As a supervisor does it; how often it had to."""
    restarts = 0
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 120
    while len(deployment.history.closed) < workflows:
        assert loop.time() < deadline, f"{len(deployment.history.closed)} orders have ended"
        if not node.running:
            restarts += 1
            node.start()
        deployment.history.follow(0.1)
    return restarts
