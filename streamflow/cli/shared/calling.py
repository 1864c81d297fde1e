"""Runs a command's call with a client, or with the handle of a workflow."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from streamflow.cli.shared.address import Connection, connected
from streamflow.cli.shared.arguments import Target
from streamflow.cli.shared.exits import ExitCode

if TYPE_CHECKING:
    from streamflow.client import Client, WorkflowHandle


def called(connection: Connection, call: Callable[[Client], Awaitable[int]]) -> int:
    """The exit code of the call, made with a client of this connection."""

    async def connect_and_call() -> int:
        async with connected(connection) as client:
            return await call(client)

    return asyncio.run(connect_and_call())


def called_on(
    connection: Connection,
    workflow_id: str,
    target: Target,
    call: Callable[[WorkflowHandle[Any, Any]], Awaitable[int | None]],
) -> int:
    """Likewise, made with the workflow that is meant; OK unless the call says another exit code."""

    async def call_on(client: Client) -> int:
        handle = client.get_workflow_handle(
            workflow_id, run_id=target.run_id, task_queue=target.queue
        )
        found = await call(handle)
        return ExitCode.OK if found is None else found

    return called(connection, call_on)


async def pause(seconds: float) -> None:
    """Between two looks of a command that goes on until Ctrl-C. Ends it too where Ctrl-C came in the midst of a call and was lost
    there: libraries below (`asyncio.wait_for` before Python 3.12) let a cancellation go that meets an answer."""
    await asyncio.sleep(seconds)
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
