"""``streamflow audit list``: who changed what through a gateway, and what became of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.operating.letter_filters import since_ms
from streamflow.cli.operating.reaching import Address, asked
from streamflow.cli.operating.topology import Namespace, Profile
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, show_list

if TYPE_CHECKING:
    from streamflow.audit import Found, Page
    from streamflow.client.http.transport import HttpTransport
    from streamflow.ports import Log

EVERYTHING = 2**53


def list_(
    *,
    user: Annotated[
        str, Parameter(help="Only what somebody with this in their name asked for.")
    ] = "",
    workflow_id: Annotated[
        str, Parameter(name=["--workflow-id", "-w"], help="Only what was done to this workflow.")
    ] = "",
    action: Annotated[str, Parameter(help="Only this command, such as TerminateWorkflow.")] = "",
    since: Annotated[
        str, Parameter(help="Only what is younger: 90m, 2d, or a time such as 2026-01-31T12:00Z.")
    ] = "",
    limit: Annotated[int, Parameter(name=["--limit", "-l"], help="At most so many.")] = 50,
    output: Form = "table",
    namespace: Namespace = "default",
    kafka: Address = None,
    profile: Profile = None,
) -> int:
    """Lists who changed what through a gateway, newest first; what was refused is among it."""
    from streamflow.audit import Filter, newest
    from streamflow.ports import TopicMissing

    if limit < 1:
        raise CommandError(f"Expected --limit of 1 or more, found {limit}", ExitCode.USAGE)
    wanted = Filter(who=user, workflow_id=workflow_id, action=action, since_ms=since_ms(since))

    def read(log: Log) -> Page:
        return newest(log, namespace, wanted, limit=limit, looked_at_max=EVERYTHING)

    async def fetch(transport: HttpTransport) -> Page:
        from streamflow.client.http import audit

        return await audit.newest(transport, wanted, limit=limit)

    try:
        found = asked(kafka, profile, namespace, read, fetch)
    except TopicMissing as error:
        raise CommandError(str(error), ExitCode.NOT_FOUND) from error
    rows = [_row(one, whole=output != "table") for one in found.entries]
    older = ", and older ones" if found.before else ""
    show_list(f"{len(rows)} entries{older}", rows, output, none="There is no such entry.")
    if found.unreadable and output == "table":
        print(f"{found.unreadable} records of the topic are no entries: no gateway wrote them.")
    return ExitCode.OK


def _row(found: Found, *, whole: bool) -> dict[str, Any]:
    entry = found.entry
    at = datetime.fromtimestamp(found.time_ms / 1000, UTC)
    row: dict[str, Any] = {
        "time": at.isoformat(timespec="milliseconds" if whole else "seconds"),
        "who": entry.who,
        "role": entry.role,
        "action": entry.action,
        "workflow_id": entry.workflow_id,
        "outcome": entry.outcome,
    }
    if whole:
        row |= {
            "run_id": entry.run_id,
            "message_id": entry.message_id,
            "details": dict(entry.details),
            "offset": found.offset,
        }
    return row
