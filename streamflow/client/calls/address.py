"""Where a workflow's commands go: its ID, the run that is meant, and the queue once it is known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from streamflow.client.calls.large import warn_of_large
from streamflow.client.errors import raise_refusal
from streamflow.client.transport import DEADLINE_S
from streamflow.model.answers import Answer, Rejection
from streamflow.model.commands import Command
from streamflow.model.ids import RunId, WorkflowId

if TYPE_CHECKING:
    from streamflow.client.client import Client

AnswerT = TypeVar("AnswerT")


class Address:
    """A workflow, or one run of it, as a client reaches it."""

    __slots__ = ("client", "queue", "run_id", "workflow_id")

    def __init__(
        self, client: Client, workflow_id: str, run_id: str | None, queue: str | None
    ) -> None:
        self.client: Client = client
        self.workflow_id: WorkflowId = WorkflowId(workflow_id)
        self.run_id: RunId | None = run_id_or_none(run_id)
        """``None`` is whichever run is the latest."""
        self.queue: str = queue or ""
        """Empty until it is found."""

    async def ask(
        self, command: Command, rpc_timeout: timedelta | None, *, patient: bool = False
    ) -> Answer:
        """The answer. A ``patient`` call without a timeout waits for ever, another for 10 s."""
        warn_of_large(command, self.client.service_client.config.payload_limits)
        deadline_s = None if patient and rpc_timeout is None else seconds(rpc_timeout)
        queue = self.queue or await self.find_queue()
        return await self.client.transport.ask(queue, command, deadline_s=deadline_s)

    async def find_queue(self) -> str:
        if not self.queue:
            self.queue = await self.client.find_queue(self.workflow_id, self.run_id)
        return self.queue


def expect(answer: object, cls: type[AnswerT]) -> AnswerT:
    """The answer if it is what was asked for; a refusal raises."""
    if isinstance(answer, cls):
        return answer
    if isinstance(answer, Rejection):
        raise_refusal(answer)
    raise AssertionError(f"Expected {cls.__name__} or a refusal, found {answer!r}")


def run_id_or_none(run_id: str | None) -> RunId | None:
    return RunId(run_id) if run_id else None


def seconds(timeout: timedelta | None) -> float:
    """A call's deadline."""
    return DEADLINE_S if timeout is None else timeout.total_seconds()
