"""`streamflow dev`, as a process: it serves others, keeps what it was given, and has its folder alone."""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import pytest

from streamflow.client import (
    Client,
    RPCError,
    RPCStatusCode,
    WorkflowAlreadyStartedError,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from streamflow.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from streamflow.exceptions import ApplicationError, CancelledError, TerminatedError
from tests.integration.cli.processes import SHOP, Shell
from tests.integration.cli.shop import QUEUE, Greet, Refused, Sleeper, Stubborn

pytestmark = pytest.mark.asyncio


async def test_another_process_does_everything_over_http(shell: Shell, tmp_path: Path) -> None:
    """A client with nothing but the address has every operation there is."""
    dev = shell.dev(tmp_path / "data")

    async with await Client.connect(dev.address) as client:
        handle = await client.start_workflow(Greet.run, "Moon", id="w", task_queue=QUEUE)
        await handle.signal(Greet.note, args=["bring flowers", 3])
        assert await handle.query(Greet.state) == {
            "finished": False,
            "notes": ["bring flowers (3)"],
        }
        with pytest.raises(WorkflowAlreadyStartedError):
            await client.start_workflow(Greet.run, "Moon", id="w", task_queue=QUEUE)
        same = await client.start_workflow(
            Greet.run,
            "Moon",
            id="w",
            task_queue=QUEUE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        assert same.result_run_id == handle.result_run_id
        await handle.signal(Greet.finish)
        assert await handle.result() == "Hello, Moon!"
        assert await handle.query(Greet.at, 0) == "bring flowers (3)"
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
        assert len((await handle.fetch_history()).recorded) > 5

        with pytest.raises(WorkflowAlreadyStartedError):
            await client.start_workflow(
                Greet.run,
                "Moon",
                id="w",
                task_queue=QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            )
        begun = await client.execute_workflow(
            Greet.run, "Sun", id="both", task_queue=QUEUE, start_signal="finish"
        )
        assert begun == "Hello, Sun!"
        await _ends_of_all_kinds(client)


async def _ends_of_all_kinds(client: Client) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await client.execute_workflow(Refused.run, id="f", task_queue=QUEUE)
    assert isinstance(failed.value.cause, Exception)
    assert isinstance(failed.value.cause.__cause__, ApplicationError)

    cancelled = await client.start_workflow(Sleeper.run, 1_000, id="c", task_queue=QUEUE)
    await cancelled.cancel(reason="enough")
    with pytest.raises(WorkflowFailureError) as ended:
        await cancelled.result()
    assert isinstance(ended.value.cause, CancelledError)

    stubborn = await client.start_workflow(Stubborn.run, id="s", task_queue=QUEUE)
    async with asyncio.timeout(20):
        while True:
            [pending] = (await stubborn.describe()).pending_activities
            if pending.last_failure is not None:
                break
    assert pending.attempt >= 1
    assert isinstance(pending.last_failure, ApplicationError)
    await stubborn.terminate(reason="enough")
    with pytest.raises(WorkflowFailureError) as over:
        await stubborn.result()
    assert isinstance(over.value.cause, TerminatedError)

    with pytest.raises(RPCError) as missing:
        await client.get_workflow_handle("nobody", task_queue=QUEUE).describe()
    assert missing.value.status is RPCStatusCode.NOT_FOUND


async def test_a_second_dev_on_the_folder_is_told_where_the_first_is(
    shell: Shell, tmp_path: Path
) -> None:
    """One process has the folder; the refusal has the address to speak to instead."""
    dev = shell.dev(tmp_path / "data")

    second = shell.run("dev", SHOP, "--data", str(tmp_path / "data"), "--port", "0")

    assert second.returncode == 5
    assert dev.address in second.stderr
    assert str(dev.running.process.pid) in second.stderr
    assert "Traceback" not in second.stderr
    assert dev.running.stop() == 0


async def test_executions_outlive_kill_9(shell: Shell, tmp_path: Path) -> None:
    """What was acknowledged before the kill is there after it: runs, their signals, and those that are closed."""
    dev = shell.dev(tmp_path / "data")
    async with await Client.connect(dev.address) as client:
        open_one = await client.start_workflow(Greet.run, "Moon", id="open", task_queue=QUEUE)
        await open_one.signal(Greet.note, args=["before", 1])
        await client.execute_workflow(
            Greet.run, "Sun", id="closed", task_queue=QUEUE, start_signal="finish"
        )
        sleeper = await client.start_workflow(Sleeper.run, 2.0, id="sleeper", task_queue=QUEUE)
        await sleeper.describe()
    dev.running.kill()

    again = shell.dev(tmp_path / "data")
    async with await Client.connect(again.address) as client:
        handle: Any = client.get_workflow_handle_for(Greet.run, "open")
        assert await handle.query(Greet.state) == {"finished": False, "notes": ["before (1)"]}
        await handle.signal(Greet.finish)
        assert await handle.result() == "Hello, Moon!"
        closed = client.get_workflow_handle_for(Greet.run, "closed")
        assert await closed.query(Greet.state) == {"finished": True, "notes": []}
        assert await client.get_workflow_handle("sleeper").result() == "awake"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_in_order(shell: Shell, tmp_path: Path, number: int) -> None:
    """Told to stop it ends with 0, and is no longer found by commands."""
    dev = shell.dev(tmp_path / "data")

    assert dev.running.stop(number) == 0
    assert not (tmp_path / "state" / "streamflow" / "dev.json").exists()
    assert "Traceback" not in dev.running.output


async def test_a_taken_port_is_one_line(shell: Shell, tmp_path: Path) -> None:
    """The message says which option helps."""
    dev = shell.dev(tmp_path / "data")
    port = dev.address.rpartition(":")[2]

    second = shell.run("dev", SHOP, "--data", str(tmp_path / "other"), "--port", port)

    assert second.returncode == 1
    assert "--port 0" in second.stderr
    assert "Traceback" not in second.stderr


async def test_the_web_ui_is_at_the_address_itself(shell: Shell, tmp_path: Path) -> None:
    """The page at the root shows what was started there."""
    import httpx

    dev = shell.dev(tmp_path / "data")
    async with await Client.connect(dev.address) as client:
        await client.start_workflow(Greet.run, "Moon", id="seen", task_queue=QUEUE)

    async with httpx.AsyncClient(follow_redirects=True) as http:
        page = await http.get(dev.address)

    assert page.headers["content-type"].startswith("text/html")
    assert ">seen</a>" in page.text


async def test_the_api_describes_itself(shell: Shell, tmp_path: Path) -> None:
    """The address that is printed leads to an OpenAPI document with every route."""
    import httpx

    dev = shell.dev(tmp_path / "data")
    async with httpx.AsyncClient() as http:
        answer = await http.get(f"{dev.address}/api/v1/openapi.json")

    document = json.loads(answer.text)
    assert document["openapi"].startswith("3.")
    assert any("signal" in path for path in document["paths"])
