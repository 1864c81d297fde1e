"""``streamflow namespace create|list|describe``: namespaces of a Kafka, each with topics of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.exits import CommandError, ExitCode
from streamflow.cli.output import Form, print_json, show, show_rows
from streamflow.cli.topology import Dev, Kafka, Profile, Replication, _with_log

if TYPE_CHECKING:
    from streamflow.ports import Log

_MARK = ".settings"


def create(
    name: str,
    /,
    *,
    description: Annotated[str, Parameter(help="What it is for.")] = "",
    owner: Annotated[str, Parameter(help="Whom to ask.")] = "",
    replication_factor: Replication = None,
    dev: Dev = False,
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Makes a namespace's topics, and notes what it is for. Again on one that is there: changes the notes.

    Parameters
    ----------
    name
        Of a-z, 0-9 and '-', at most 63 characters.
    """
    from streamflow import topology
    from streamflow.model.settings import NamespaceEntry

    try:
        declared = topology.declare(name, replication_factor=replication_factor, dev=dev)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error

    def make(log: Log) -> None:
        topology.apply(log, topology.plan(log, declared))
        before = topology.read_settings(log, name).namespace
        topology.write_namespace(
            log,
            NamespaceEntry(
                name=name,
                description=description,
                owner=owner,
                made_ms=before.made_ms if before else log.clock.now_ms(),
            ),
        )

    _with_log(kafka, profile, make)
    print(f"Namespace {name} is there. Queues: streamflow topology apply -n {name} -q QUEUE")
    return ExitCode.OK


def list_(*, output: Form = "table", kafka: Kafka = None, profile: Profile = None) -> int:
    """Lists the namespaces that have topics."""

    def read(log: Log) -> list[dict[str, Any]]:
        from streamflow import topology

        names = sorted(
            topic.removesuffix(_MARK)
            for topic in log.topics()
            if topic.endswith(_MARK) and topic.count(".") == 1
        )
        rows: list[dict[str, Any]] = []
        for name in names:
            entry = topology.read_settings(log, name).namespace
            rows.append(
                {
                    "namespace": name,
                    "queues": len(topology.read_queues(log, name)),
                    "description": entry.description if entry else "",
                }
            )
        return rows

    rows = _with_log(kafka, profile, read)
    if output == "json":
        print_json(rows)
    elif rows:
        show_rows("Namespaces", rows)
    else:
        print("There is no namespace.")
    return ExitCode.OK


def describe(
    name: str, /, *, output: Form = "table", kafka: Kafka = None, profile: Profile = None
) -> int:
    """Shows a namespace: its queues, its topics, and the search attributes that it declares.

    Parameters
    ----------
    name
        Its name.
    """
    from streamflow import topology

    def read(log: Log) -> dict[str, Any]:
        topics = sorted(topic for topic in log.topics() if topic.startswith(f"{name}."))
        if not topics:
            raise CommandError(
                f"Expected namespace {name!r}, found no topics of it. Make it with: streamflow namespace create {name}",
                ExitCode.NOT_FOUND,
            )
        settings = topology.read_settings(log, name)
        entry = settings.namespace
        return {
            "namespace": name,
            "description": entry.description if entry else "",
            "owner": entry.owner if entry else "",
            "queues": {
                queue.name: f"{queue.kind}, {queue.partitions} partitions"
                for queue in topology.read_queues(log, name).values()
            },
            "search_attributes": {
                one.name: one.kind for one in settings.search_attributes.values()
            },
            "topics": topics,
        }

    show(_with_log(kafka, profile, read), output)
    return ExitCode.OK
