"""``streamflow task-queue list|describe``: which queues there are, who serves them, and how far behind they are."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared import completers
from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, print_data, show, show_list, show_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from streamflow.client import Client
    from streamflow.model.processes import ProcessReport
    from streamflow.model.queues import QueueEntry
    from streamflow.topology import Share

HERE = Connection()


def list_(*, output: Form = "table", connection: Connection = HERE) -> int:
    """Lists the queues of a namespace. Through a gateway it is not known who serves them."""

    async def call(client: Client) -> int:
        entries = sorted((await client.transport.queues()).values(), key=lambda one: one.name)
        running = await _running(client)
        rows = [_summary(entry, running, await shares_of(client, entry)) for entry in entries]
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
        found = await shares_of(client, entry)
        facts = _summary(entry, await _running(client), found) | {"topics": dict(entry.topics)}
        reports: Mapping[str, ProcessReport] = {}
        if found is not None:
            reports = await _reports(client, queue)
        rows = [{**row_of(share), **_reported(share, reports)} for share in found or []]
        if output != "table":
            print_data({**facts, "shares": rows}, output)
        else:
            show(facts, output)
            show_rows("Partitions", rows)
        return ExitCode.OK

    return called(connection, call)


async def shares_of(client: Client, entry: QueueEntry) -> list[Share] | None:
    """Who has which partition; ``None`` through a gateway, which does not say."""
    from streamflow.client.log.patience import blocking
    from streamflow.topology import shares

    try:
        log = client.log
    except ValueError:
        return None
    return await blocking(log, partial(shares, log, client.namespace, entry))


async def _reports(client: Client, queue: str) -> Mapping[str, ProcessReport]:
    from streamflow.client.log.patience import blocking
    from streamflow.topology import fresh_reports

    log, now_ms = client.log, client.transport.now_ms()
    return await blocking(log, lambda: fresh_reports(log, client.namespace, queue, now_ms=now_ms))


def _reported(share: Share, reports: Mapping[str, ProcessReport]) -> dict[str, Any]:
    """``restored_percent`` is of a partition that is being restored now."""
    from streamflow.topology import restore_of, standbys_of

    restore = restore_of(share, reports)
    return {
        "restored_percent": None if restore is None else restore.percent,
        "seconds_left": None if restore is None else restore.left_ms // 1_000,
        "standbys": dict(standbys_of(share, reports)),
    }


def row_of(share: Share) -> dict[str, Any]:
    return {
        "role": share.role,
        "partition": share.partition,
        "instance": share.member,
        "position": share.position,
        "end": share.end,
        "lag": share.lag,
    }


async def _running(client: Client) -> dict[str, int]:
    counted = await client.count_workflows("ExecutionStatus = 'Running' GROUP BY TaskQueue")
    return {str(group.group_values[0]): group.count for group in counted.groups}


def _summary(
    entry: QueueEntry, running: dict[str, int], found: list[Share] | None
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


def _members(found: list[Share] | None, role: str) -> int | None:
    if found is None:
        return None
    return len({share.member for share in found if share.role == role and share.member})
