"""``streamflow worker list|describe``: the processes that serve queues now, as the log's coordinator sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streamflow.cli.operating.task_queue import row_of, shares_of
from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, show_list

if TYPE_CHECKING:
    from streamflow.client import Client
    from streamflow.client.http.api_v1_queues import PartitionBody

HERE = Connection()


def list_(*, output: Form = "table", connection: Connection = HERE) -> int:
    """Lists the processes that serve queues: what each does, with how many partitions, and how far behind it is."""

    async def call(client: Client) -> int:
        held: dict[tuple[str, str, str], list[PartitionBody]] = {}
        for share in await _shares(client):
            if share.instance is not None:
                held.setdefault((share.instance, share.queue, share.role), []).append(share)
        rows = [
            {
                "instance": instance,
                "queue": queue,
                "role": role,
                "partitions": len(found),
                "lag": sum(share.lag for share in found),
            }
            for (instance, queue, role), found in sorted(held.items())
        ]
        show_list("Instances", rows, output, none="Nobody serves a queue of this namespace now.")
        return ExitCode.OK

    return called(connection, call)


def describe(instance: str, /, *, output: Form = "table", connection: Connection = HERE) -> int:
    """Shows each partition that a process has.

    Parameters
    ----------
    instance
        Its name, as `list` shows it.
    """

    async def call(client: Client) -> int:
        found = await _shares(client)
        rows: list[dict[str, Any]] = [
            {"queue": share.queue, **row_of(share)} for share in found if share.instance == instance
        ]
        if not rows:
            known = (
                ", ".join(sorted({share.instance for share in found if share.instance})) or "none"
            )
            raise CommandError(
                f"Expected an instance {instance!r} with partitions in namespace {client.namespace!r}, found {known}",
                ExitCode.NOT_FOUND,
            )
        show_list(f"Partitions of {instance}", rows, output, none="")
        return ExitCode.OK

    return called(connection, call)


async def _shares(client: Client) -> list[PartitionBody]:
    found: list[PartitionBody] = []
    for entry in (await client.transport.queues()).values():
        found += await shares_of(client, entry)
    return found
