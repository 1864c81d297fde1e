"""What TAB offers where a command wants the name of something that is there: asked of whom the command would speak to.

Nobody to ask, or no answer in two seconds, is no name to offer: whoever presses TAB is never told of an error.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cyclopts.completion import CompletionContext

    from streamflow.client import Client

PATIENCE_S = 2.0
NAMES_MAX = 50

Ask = Callable[["Client", str], Awaitable[list[tuple[str, str]]]]
"""Names that begin with a text, each with what to say about it."""


def workflow_ids(context: CompletionContext) -> list[tuple[str, str]]:
    """IDs of the workflows that were started last."""
    return _asked(context, _workflow_ids)


def workflow_types(context: CompletionContext) -> list[tuple[str, str]]:
    """Types of the workflows that are known."""
    return _asked(context, _workflow_types)


def queues(context: CompletionContext) -> list[tuple[str, str]]:
    """Task queues of the namespace."""
    return _asked(context, _queues)


def schedule_ids(context: CompletionContext) -> list[tuple[str, str]]:
    """Schedules of the namespace."""
    return _asked(context, _schedule_ids)


async def _workflow_ids(client: Client, begun: str) -> list[tuple[str, str]]:
    query = f"WorkflowId STARTS_WITH {_quoted(begun)}" if begun else ""
    return [
        (run.id, f"{run.workflow_type}, {run.status.name.lower()}")
        async for run in client.list_workflows(query, limit=NAMES_MAX)
    ]


async def _workflow_types(client: Client, begun: str) -> list[tuple[str, str]]:
    counted = await client.count_workflows("GROUP BY WorkflowType")
    return [(str(group.group_values[0]), f"{group.count} workflows") for group in counted.groups]


async def _queues(client: Client, begun: str) -> list[tuple[str, str]]:
    return [(name, entry.kind) for name, entry in (await client.transport.queues()).items()]


async def _schedule_ids(client: Client, begun: str) -> list[tuple[str, str]]:
    return [(one.id, "") async for one in await client.list_schedules()]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def _asked(context: CompletionContext, ask: Ask) -> list[tuple[str, str]]:
    from streamflow.cli.shared.address import Connection, connected

    given = {
        name: value.raw
        for name in ("address", "namespace", "profile")
        if (value := context.get(name)) is not None
    }

    importlib.import_module("streamflow.client")  # the time that this takes is not the answer's

    async def call() -> list[tuple[str, str]]:
        async with asyncio.timeout(PATIENCE_S), connected(Connection(**given)) as client:
            return await ask(client, context.incomplete)

    try:
        return asyncio.run(call())
    except Exception:  # there is nobody to hear of it: a shell in the middle of a line
        return []
