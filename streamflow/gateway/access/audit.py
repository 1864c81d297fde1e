"""Who changed what, when, and what became of it: one line for each attempt, also for one that was refused.

It goes to the process's log as the event ``audit``, and to the namespace's audit topic (`streamflow.audit`) once what became
of it is known. Values that workflows were given are not in it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

from streamflow.audit import AuditTopic
from streamflow.client.log.transport import LogTransport
from streamflow.client.transport import Transport
from streamflow.client.wrapped import unwrapped
from streamflow.gateway.access.roles import Principal, Role
from streamflow.model.answers import Answer, Rejection
from streamflow.model.audit import AuditEntry
from streamflow.model.commands import Command, StartWorkflow, UpdateWithStart
from streamflow.model.control import ControlWorkflow
from streamflow.observability import get_logger
from streamflow.service import RPCError

log = get_logger("audit")

DONE = "done"
UNKNOWN = "unknown"
"""No answer came, or the caller went: it may have taken effect."""
DETAIL_CHARS_MAX = 1_000
"""Of one detail in the topic: a reason may be as long as whoever gave it liked."""


@dataclass
class Attempt:
    """Something that somebody would change."""

    who: str
    namespace: str
    action: str
    role: str = ""
    workflow_id: str = ""
    run_id: str = ""
    message_id: str = ""
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    outcome: str = DONE

    @classmethod
    def of(
        cls, principal: Principal, namespace: str, command: Command, message_id: str | None
    ) -> Attempt:
        return cls(
            principal.name,
            namespace,
            type(command).__name__,
            role_word(principal.role(namespace)),
            command.workflow_id,
            getattr(command, "run_id", None) or "",
            message_id or "",
            _details(command),
        )

    def answered(self, answer: Answer) -> None:
        if isinstance(answer, Rejection):
            self.outcome = f"refused: {answer.reason.value}"
        else:
            self.run_id = str(getattr(answer, "run_id", "") or self.run_id)

    def entry(self) -> AuditEntry:
        return AuditEntry(
            who=self.who,
            action=self.action,
            outcome=self.outcome,
            role=self.role,
            workflow_id=self.workflow_id,
            run_id=self.run_id,
            message_id=self.message_id,
            details={name: _as_text(value) for name, value in self.details.items()},
        )


class Audit:
    """Notes attempts. One for a gateway."""

    def __init__(self) -> None:
        self._topics: dict[str, AuditTopic] = {}

    @asynccontextmanager
    async def noting(self, attempt: Attempt, transport: Transport) -> AsyncGenerator[Attempt]:
        """Around the attempt: notes what became of it, whichever way it ends, before the caller is told."""
        try:
            yield attempt
        except RPCError as error:
            attempt.outcome = f"failed: {error.status.name.lower()}"
            raise
        except BaseException:
            attempt.outcome = UNKNOWN
            raise
        finally:
            self.say(attempt)
            topic = self._topic(transport)
            if topic is not None:
                # Who went away does not wait.
                await topic.write(attempt.entry(), wait=attempt.outcome != UNKNOWN)

    async def close(self) -> None:
        for topic in self._topics.values():
            await topic.close()

    def _topic(self, transport: Transport) -> AuditTopic | None:
        """Of the transport's namespace; ``None`` where there is no log behind it."""
        found = self._topics.get(transport.namespace)
        if found is None:
            behind = unwrapped(transport)
            if not isinstance(behind, LogTransport):
                return None
            found = AuditTopic(behind.log, behind.namespace, creates=behind.makes_namespace)
            self._topics[transport.namespace] = found
        return found

    def say(self, attempt: Attempt) -> None:
        log.info(
            "audit",
            who=attempt.who,
            role=attempt.role,
            namespace=attempt.namespace,
            action=attempt.action,
            workflow_id=attempt.workflow_id,
            run_id=attempt.run_id,
            message_id=attempt.message_id,
            outcome=attempt.outcome,
            **attempt.details,
        )


def role_word(role: Role | None) -> str:
    return "" if role is None else role.word


def _as_text(value: object) -> str:
    several = isinstance(value, list)
    text = ", ".join(map(str, cast("list[object]", value))) if several else str(value)
    return text if len(text) <= DETAIL_CHARS_MAX else text[: DETAIL_CHARS_MAX - 1] + "…"


def _details(command: Command) -> dict[str, object]:
    """What tells one such command from another, without values."""
    match command:
        case StartWorkflow(workflow_type=name, signal_name=signal):
            return {"workflow_type": name, **({"signal": signal} if signal else {})}
        case UpdateWithStart(start=start, update=update):
            return {"workflow_type": start.workflow_type, "update": update.update_name}
        case ControlWorkflow(control=control):
            return {"control": control.value}
        case _:
            names = ("signal_name", "update_name", "reason", "control", "event_id", "outcome")
            found = {name: getattr(command, name) for name in names if hasattr(command, name)}
            return {name: getattr(value, "value", value) for name, value in found.items()}
