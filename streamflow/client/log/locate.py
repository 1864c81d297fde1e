"""Finding the queue of a workflow whose caller did not name it.

The namespace's only queue needs no question. Else every workflow queue is asked (`Locate`, the only command that is
ever broadcast); a queue without a live processor cannot say no, so it is reported as unknown, never as "not found".
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from streamflow.client.errors import raise_refusal
from streamflow.model.answers import Answer, Located, Reason, Rejection
from streamflow.model.commands import Command, Locate
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.queues import QueueEntry
from streamflow.service import RPCError, RPCStatusCode

_NOBODY_SAYS = (
    RPCStatusCode.DEADLINE_EXCEEDED,
    RPCStatusCode.PERMISSION_DENIED,
    RPCStatusCode.UNAVAILABLE,
)


class Askable(Protocol):
    """What a search needs of a transport."""

    @property
    def namespace(self) -> str: ...

    async def ask(self, queue: str, command: Command, *, deadline_s: float | None) -> Answer: ...

    async def queues(self) -> Mapping[str, QueueEntry]: ...

    async def live_members(self, queue: str) -> frozenset[str]: ...


async def find_queue(
    transport: Askable, workflow_id: str, run_id: str | None, *, deadline_s: float | None
) -> str:
    """The one queue that knows this workflow.

    Raises:
        RPCError: NOT_FOUND when every queue says no; UNAVAILABLE when some cannot say; FAILED_PRECONDITION when
            two say yes.
    """
    names = sorted(
        name for name, entry in (await transport.queues()).items() if entry.kind == "workflow"
    )
    if not names:
        raise RPCError(
            f"Expected a queue of workflows in namespace {transport.namespace!r}, found none. Create one: "
            f"streamflow topology apply --namespace {transport.namespace} --queue NAME",
            RPCStatusCode.NOT_FOUND,
        )
    if len(names) == 1:
        return names[0]
    answers = await asyncio.gather(
        *(_knows(transport, name, workflow_id, run_id, deadline_s) for name in names)
    )
    found = [name for name, knows in zip(names, answers, strict=True) if knows]
    silent = [name for name, knows in zip(names, answers, strict=True) if knows is None]
    return _the_one(workflow_id, found, silent, names)


async def _knows(
    transport: Askable, queue: str, workflow_id: str, run_id: str | None, deadline_s: float | None
) -> bool | None:
    """Whether the queue knows the workflow; ``None`` when nobody can say."""
    if not await _may_answer(transport, queue):
        return None
    command = Locate(workflow_id=WorkflowId(workflow_id), run_id=RunId(run_id) if run_id else None)
    try:
        answer = await transport.ask(queue, command, deadline_s=deadline_s)
    except RPCError as error:
        if error.status in _NOBODY_SAYS:
            return None
        raise
    match answer:
        case Located():
            return True
        case Rejection(reason=Reason.NOT_FOUND):
            return False
        case Rejection():
            raise_refusal(answer)
        case _:
            raise AssertionError(f"Expected Located or a refusal, found {answer!r}")


async def _may_answer(transport: Askable, queue: str) -> bool:
    """Whether a processor is there; who may not know that asks it nevertheless."""
    try:
        return bool(await transport.live_members(queue))
    except RPCError:
        return True


def _the_one(workflow_id: str, found: list[str], silent: list[str], names: list[str]) -> str:
    match found:
        case [queue]:
            return queue
        case []:
            pass
        case _:
            raise RPCError(
                f"Expected workflow {workflow_id!r} on one queue, found it on {', '.join(found)}: name the queue "
                "with get_workflow_handle(..., task_queue=...)",
                RPCStatusCode.FAILED_PRECONDITION,
            )
    if silent:
        raise RPCError(
            f"Expected to find the queue of workflow {workflow_id!r}, found no live processor on {', '.join(silent)} "
            "that this client may ask: whether it is there is unknown. Start a processor, or name the queue.",
            RPCStatusCode.UNAVAILABLE,
        )
    raise RPCError(
        f"Expected workflow {workflow_id!r} on one of the queues {', '.join(names)}, found it on none",
        RPCStatusCode.NOT_FOUND,
    )
