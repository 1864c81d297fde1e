"""What every call has: the namespace that its request names, and its deadline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from streamflow.api.common.v1 import WorkflowExecution
from streamflow.api.message import Message
from streamflow.client.calls.address import Address, expect, seconds
from streamflow.client.client import Client
from streamflow.model.answers import Answer
from streamflow.model.commands import Command
from streamflow.service import RPCError, RPCStatusCode, ServiceClient

AnswerT = TypeVar("AnswerT")


@dataclass(frozen=True)
class Asked:
    """A request's client, which has no converter of its own, and no interceptors."""

    client: Client
    timeout: timedelta | None

    @property
    def deadline_s(self) -> float:
        return seconds(self.timeout)

    def identity(self, given: str) -> str:
        """Who asks: whom the request names, else the connection."""
        return given or self.client.identity

    def address(self, execution: WorkflowExecution) -> Address:
        """Raises: RPCError, where the request names no workflow."""
        if not execution.workflow_id:
            raise RPCError(
                "Expected a workflow_id in the request's execution, found none",
                RPCStatusCode.INVALID_ARGUMENT,
            )
        return Address(self.client, execution.workflow_id, execution.run_id, None)

    async def ask(
        self, address: Address, command: Command, cls: type[AnswerT], *, request_id: str = ""
    ) -> AnswerT:
        """The answer of this class. A request with an ID may be made again: it is carried out once.

        Raises: RPCError, for a refusal.
        """
        return expect(await self.answer(address, command, request_id=request_id), cls)

    async def answer(self, address: Address, command: Command, *, request_id: str = "") -> Answer:
        """The answer, or the refusal."""
        queue = address.queue or await address.find_queue()
        # Requests of two kinds may have one ID.
        message_id = f"{type(command).__name__}/{request_id}" if request_id else None
        return await self.client.transport.ask(
            queue, command, deadline_s=self.deadline_s, message_id=message_id
        )


def asked(connection: ServiceClient, request: Message, timeout: timedelta | None) -> Asked:
    """A request without a namespace is about the connection's own."""
    namespace: Any = getattr(request, "namespace", "")
    return Asked(Client(connection, namespace=namespace or None), timeout)
