"""Which dead letters are meant: the options that list, redrive and purge share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from streamflow.cli.shared.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from streamflow.dead_letters import Filter


@Parameter(name="*")
@dataclass(frozen=True)
class Filters:
    """All of them hold at once."""

    reason: Annotated[
        Literal["unreadable", "address", "placement", "engine", "quarantined", "quota", "other"]
        | None,
        Parameter(help="Only those that became letters for this reason."),
    ] = None
    text: Annotated[str, Parameter(help="Only those whose message has this text.")] = ""
    queue: Annotated[
        str, Parameter(name=["--queue", "-q"], help="Only those of this task queue.")
    ] = ""
    workflow_id: Annotated[
        str, Parameter(name=["--workflow-id", "-w"], help="Only those of this workflow.")
    ] = ""
    since: Annotated[
        str,
        Parameter(
            help="Only those younger than this: 90m, 2d, or a time such as 2026-01-31T12:00Z."
        ),
    ] = ""

    def filter(self, state: str) -> Filter:
        """As dead letters know it; `all` means any state."""
        from streamflow.dead_letters import Filter, Reason, State

        return Filter(
            reason=None if self.reason is None else Reason(self.reason),
            text=self.text,
            queue=self.queue,
            workflow_id=self.workflow_id,
            since_ms=since_ms(self.since),
            state=None if state == "all" else State(state),
        )


EVERY = Filters()


def since_ms(text: str) -> int:
    """What ``--since`` says, as a time; 0 for nothing."""
    from streamflow.visibility.lexing import duration_ms

    if not text:
        return 0
    now_ms = int(datetime.now(UTC).timestamp() * 1_000)
    back_ms = duration_ms(text)
    if back_ms is not None:
        return now_ms - back_ms
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(
            f"Expected --since 90m, 2d, or a time such as 2026-01-31T12:00Z, found {text!r}",
            ExitCode.USAGE,
        ) from None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1_000)
