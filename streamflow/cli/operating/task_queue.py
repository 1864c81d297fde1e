"""``streamflow task-queue list|describe``: which queues there are, who serves them, and how far behind they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared import completers
from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, print_data, show, show_list, show_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from streamflow.client import Client
    from streamflow.client.http.api_v1_queues import PartitionBody
    from streamflow.model.processes import ProcessReport
    from streamflow.model.queues import QueueEntry

HERE = Connection()


def list_(*, output: Form = "table", connection: Connection = HERE) -> int:
    """Lists the queues of a namespace, with who serves them where the caller may see that."""

    async def call(client: Client) -> int:
        entries = sorted((await client.transport.queues()).values(), key=lambda one: one.name)
        running = await _running(client)
        rows = [_summary(entry, running, await _shares_if_seen(client, entry)) for entry in entries]
        show_list("Task queues", rows, output, none="There is no task queue.")
        return ExitCode.OK

    return called(connection, call)


def describe(
    queue: Annotated[str, Parameter(help="Its name.", completer=completers.queues)],
    /,
    *,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Shows a queue: each partition with who has it, how many offsets are still to be read, how far it is restored, and who
    stands by for it."""

    async def call(client: Client) -> int:
        entries = await client.transport.queues()
        entry = entries.get(queue)
        if entry is None:
            known = ", ".join(sorted(entries)) or "none"
            raise CommandError(
                f"Expected a task queue {queue!r} in namespace {client.namespace!r}, found {known}",
                ExitCode.NOT_FOUND,
            )
        found = await shares_of(client, entry, reported=True)
        facts = _summary(entry, await _running(client), found) | {"topics": dict(entry.topics)}
        rows = [{**row_of(share), **_reported(share)} for share in found]
        if output != "table":
            print_data({**facts, "shares": rows}, output)
        else:
            show(facts, output)
            show_rows("Partitions", rows)
        return ExitCode.OK

    return called(connection, call)


async def shares_of(
    client: Client, entry: QueueEntry, *, reported: bool = False
) -> Sequence[PartitionBody]:
    """Who has which partition, of the log itself or through a gateway; with ``reported`` how far restores and standbys are too,
    which a gateway always says.

    Raises:
        RPCError: the gateway does not let the caller see it, or does not know yet how to say it.
    """
    from streamflow.client.http.api_v1_queues import PartitionBody, PartitionsBody
    from streamflow.client.http.transport import HttpTransport
    from streamflow.client.http.words import given, quoted
    from streamflow.client.log.patience import blocking
    from streamflow.client.transport import DEADLINE_S
    from streamflow.client.wrapped import unwrapped
    from streamflow.topology import fresh_reports, shares

    transport = unwrapped(client.transport)
    if isinstance(transport, HttpTransport):
        path = f"/namespaces/{quoted(client.namespace)}/queues/{quoted(entry.name)}/partitions"
        return given(await transport.get(path, {}, PartitionsBody, DEADLINE_S)).partitions
    log, now_ms = client.log, client.transport.now_ms()

    def look() -> Sequence[PartitionBody]:
        reports: Mapping[str, ProcessReport] = {}
        if reported:
            reports = fresh_reports(log, client.namespace, entry.name, now_ms=now_ms)
        found = shares(log, client.namespace, entry)
        return [PartitionBody.of(share, reports) for share in found]

    return await blocking(log, look)


async def _shares_if_seen(client: Client, entry: QueueEntry) -> Sequence[PartitionBody] | None:
    """``None`` where a gateway does not say: a list has more to show than that."""
    from streamflow.service import RPCError, RPCStatusCode

    unsaid = (
        RPCStatusCode.PERMISSION_DENIED,  # who is granted some workflow types alone
        RPCStatusCode.UNIMPLEMENTED,  # an older gateway
        RPCStatusCode.FAILED_PRECONDITION,  # one without a log
    )
    try:
        return await shares_of(client, entry)
    except RPCError as error:
        if error.status in unsaid:
            return None
        raise


def _reported(share: PartitionBody) -> dict[str, Any]:
    """``restored_percent`` is of a partition that is being restored now; ``seconds_left`` of one of which some is read."""
    restore = share.restore
    return {
        "restored_percent": None if restore is None else restore.percent,
        "seconds_left": restore.left_ms // 1_000 if restore and restore.left_ms else None,
        "standbys": dict(share.standbys),
    }


def row_of(share: PartitionBody) -> dict[str, Any]:
    return {
        "role": share.role,
        "partition": share.partition,
        "instance": share.instance,
        "position": share.position,
        "end": share.end,
        "lag": share.lag,
    }


async def _running(client: Client) -> dict[str, int]:
    counted = await client.count_workflows("ExecutionStatus = 'Running' GROUP BY TaskQueue")
    return {str(group.group_values[0]): group.count for group in counted.groups}


def _summary(
    entry: QueueEntry, running: dict[str, int], found: Sequence[PartitionBody] | None
) -> dict[str, Any]:
    return {
        "queue": entry.name,
        "kind": entry.kind,
        "partitions": entry.partitions,
        "running_workflows": running.get(entry.name, 0),
        "processors": _members(found, "processor"),
        "workers": _members(found, "activities"),
        "lag": None if found is None else sum(share.lag for share in found),
    }


def _members(found: Sequence[PartitionBody] | None, role: str) -> int | None:
    if found is None:
        return None
    return len({share.instance for share in found if share.role == role and share.instance})
