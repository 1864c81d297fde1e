"""Who changed what, when, and what became of it: one line for each attempt, also for one that was refused.

Lines go to the process's log as the event ``audit``. Values that workflows were given are not in them.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from streamflow.gateway.access.roles import Principal
from streamflow.model.answers import Answer, Rejection
from streamflow.model.commands import Command, StartWorkflow, UpdateWithStart
from streamflow.model.control import ControlWorkflow
from streamflow.observability import get_logger
from streamflow.service import RPCError

log = get_logger("audit")

DONE = "done"
UNKNOWN = "unknown"
"""No answer came, or the caller went: it may have taken effect."""


@dataclass
class Attempt:
    """Something that somebody would change."""

    who: str
    namespace: str
    action: str
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


class Audit:
    """Notes attempts. One for a gateway."""

    @contextmanager
    def noting(self, attempt: Attempt) -> Generator[Attempt]:
        """Around the attempt: notes what became of it, whichever way it ends."""
        try:
            yield attempt
        except RPCError as error:
            attempt.outcome = f"failed: {error.status.name.lower()}"
            raise
        except BaseException:
            attempt.outcome = UNKNOWN
            raise
        finally:
            self.note(attempt)

    def note(self, attempt: Attempt) -> None:
        log.info(
            "audit",
            who=attempt.who,
            namespace=attempt.namespace,
            action=attempt.action,
            workflow_id=attempt.workflow_id,
            run_id=attempt.run_id,
            message_id=attempt.message_id,
            outcome=attempt.outcome,
            **attempt.details,
        )


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
