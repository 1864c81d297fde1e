"""Workflow code that raises, loops or cheats: its runs wait with advice, all others go on, and new code heals them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.client import Client, RPCError, WorkflowExecutionStatus, WorkflowHandle
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


@pytest.mark.parametrize("workflow", ["Crashes", "IsKilled"])
async def test_code_that_ends_its_process_is_put_aside_beside_orders_that_end(
    deployment: Deployment, workflow: str
) -> None:
    """After three ends; it leaves its process no time to say anything."""
    node = deployment.both("app", "--module=tests.faults.code.ending").start()
    placed = deployment.order(ORDERS_BESIDE // 2)
    deployment.outsider.start("bad", workflow)
    placed += deployment.order(ORDERS_BESIDE // 2)
    deployment.drive(placed)
    deployment.outsider.flush()

    restarts = await _restarted_until_all_closed(deployment, node, workflows=ORDERS_BESIDE)
    async with await Client.connect(deployment.bootstrap, namespace=deployment.namespace) as client:
        handle = client.get_workflow_handle("bad")
        restarts += await _restarted_until_quarantined(node, handle)
        description = await handle.describe(rpc_timeout=timedelta(seconds=60))
        await handle.terminate("nobody mends it")

    assert description.status is WorkflowExecutionStatus.RUNNING
    assert description.trouble is not None
    assert "ended the process" in description.trouble.advice
    deployment.finish(besides={"bad"})
    assert restarts == 3


async def test_a_run_that_a_sick_machine_made_end_its_process_is_let_go_on_by_command(
    deployment: Deployment,
) -> None:
    """It is put aside after three ends, by the same code that is well afterwards. What it was sent meanwhile waits."""
    node = deployment.both("app", "--module=tests.faults.code.sick_machine", *QUICK)
    sick = node.witness.with_name("sick")
    sick.touch()
    node.start()
    deployment.outsider.start("fragile", "Fragile")
    deployment.outsider.flush()
    async with await Client.connect(deployment.bootstrap, namespace=deployment.namespace) as client:
        handle = client.get_workflow_handle("fragile")
        restarts = await _restarted_until_quarantined(node, handle)
        sick.unlink()
        await handle.signal("hear", "a")
        node.stop()
        node.start()
        await handle.signal("hear", "b")
        described = await handle.describe(rpc_timeout=timedelta(seconds=60))
        assert described.trouble is not None
        assert described.trouble.kind == "quarantined"

        words = ["--address", deployment.bootstrap, "--namespace", deployment.namespace]
        told = await asyncio.to_thread(run, ["workflow", "unpause", "fragile", *words])

        assert told == ExitCode.OK
        assert await handle.result() == ["a", "b"]
    assert restarts >= 3
    node.stop()


async def _restarted_until_quarantined(node: Node, handle: WorkflowHandle[Any, Any]) -> int:
    restarts = 0
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 120
    while await _kind_of_trouble(handle) != "quarantined":
        assert loop.time() < deadline, f"not quarantined after {restarts} restarts"
        if not node.running:
            restarts += 1
            node.start()
    return restarts


async def _kind_of_trouble(handle: WorkflowHandle[Any, Any]) -> str:
    try:
        description = await handle.describe(rpc_timeout=timedelta(seconds=2))
    except RPCError:
        return "no answer"  # its processor has ended, or is restoring
    return description.trouble.kind if description.trouble else ""


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
