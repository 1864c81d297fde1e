"""Batch operations: one operation on every workflow that a list filter finds, with what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from streamflow.client.workflows.execution import WorkflowExecution
from streamflow.service import RPCError

if TYPE_CHECKING:
    from streamflow.client.client import Client
    from streamflow.client.workflows.handle import WorkflowHandle

BatchOperation = Callable[["WorkflowHandle[Any, Any]"], Awaitable[Any]]

CONCURRENCY_DEFAULT = 20
CONCURRENCY_MAX = 1_000


@dataclass(frozen=True)
class BatchItem:
    """What became of one workflow."""

    workflow_id: str
    run_id: str
    value: Any = None
    """What the operation gave back."""
    error: RPCError | None = None
    """Why it was not carried out; ``None`` if it was."""

    @property
    def succeeded(self) -> bool:
        return self.error is None


@dataclass
class BatchResult:
    """What became of all of them."""

    items: list[BatchItem] = field(default_factory=list[BatchItem])

    @property
    def succeeded(self) -> int:
        return sum(item.succeeded for item in self.items)

    @property
    def failed(self) -> int:
        return len(self.items) - self.succeeded


async def batch(
    self: Client,
    query: str,
    operation: BatchOperation,
    *,
    limit: int | None = None,
    concurrency: int = CONCURRENCY_DEFAULT,
) -> BatchResult:
    """Carries out an operation on every workflow that the list filter finds, as of when it is asked.

    What one workflow refuses (it has ended meanwhile, say) is in its item, and the others go on. Every run is addressed by
    its run ID, so that a later run of the same workflow is never hit.

    Args:
        operation: Given a handle to one run, such as ``lambda handle: handle.cancel(reason="recall")``.
        limit: At most so many workflows. Default: all.
        concurrency: Operations under way at once. Default: 20.

    Raises:
        ValueError: the filter is empty, which would mean every workflow there is: say ``WorkflowId IS NOT NULL`` if so.
        RPCError: INVALID_ARGUMENT for a filter that is none.

    Example::

        result = await client.batch("WorkflowType = 'Order'", lambda handle: handle.terminate(reason="shop closed"))
        print(result.succeeded, [item.error for item in result.items if item.error])
    """
    result = BatchResult()
    async for item in batch_items(self, query, operation, limit=limit, concurrency=concurrency):
        result.items.append(item)
    return result


async def batch_items(
    client: Client,
    query: str,
    operation: BatchOperation,
    *,
    limit: int | None,
    concurrency: int,
) -> AsyncIterator[BatchItem]:
    """The items as they are done, in no particular order."""
    if not query.strip():
        raise ValueError(
            "Expected a list filter, found an empty one: say WorkflowId IS NOT NULL for every workflow"
        )
    if not 1 <= concurrency <= CONCURRENCY_MAX:
        raise ValueError(f"Expected a concurrency of 1 to {CONCURRENCY_MAX}, found {concurrency}")
    # The whole list first: an operation changes what the filter finds.
    found = [run async for run in client.list_workflows(query, limit=limit)]
    waiting = iter(found)
    running: set[asyncio.Task[BatchItem]] = set()
    try:
        while True:
            while len(running) < concurrency and (run := next(waiting, None)) is not None:
                running.add(asyncio.ensure_future(_one(client, run, operation)))
            if not running:
                return
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in running:
            task.cancel()


async def _one(client: Client, run: WorkflowExecution, operation: BatchOperation) -> BatchItem:
    handle = client.get_workflow_handle(run.id, run_id=run.run_id, task_queue=run.task_queue)
    try:
        value = await operation(handle)
    except RPCError as error:
        return BatchItem(run.id, run.run_id, error=error)
    return BatchItem(run.id, run.run_id, value)
