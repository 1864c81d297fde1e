"""``streamflow namespace create|list|describe|delete``: namespaces of a Kafka, each with topics of its own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.operating.topology import Dev, Kafka, Profile, Replication, _with_log
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, show, show_list

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
    show_list("Namespaces", rows, output, none="There is no namespace.")
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


def delete(
    name: str,
    /,
    *,
    yes: Annotated[bool, Parameter(help="Do it without asking for the name again.")] = False,
    visibility: Annotated[
        str | None,
        Parameter(
            help="A store of lists whose rows of the namespace go too: `sqlite:///FILE`, `postgresql://...`."
        ),
    ] = None,
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Deletes a namespace for good: its queues, every run, schedule and setting. Topics that were never stamped stay.

    Refused while a processor or a worker of it is alive; `default` takes `--yes`.

    Parameters
    ----------
    name
        Its name.
    """
    from streamflow import topology

    def remove(log: Log) -> topology.Deletion:
        planned = topology.plan_deletion(log, name)
        print("\n".join(f"- delete {topic}" for topic in planned.topics))
        if not yes:
            _confirm(name)
        done = topology.delete_namespace(log, name)
        _forget_local_state(log, name, visibility)
        return done

    if name == "default" and not yes:
        raise CommandError(
            "Expected --yes to delete the namespace 'default', which everything uses that names no other",
            ExitCode.USAGE,
        )
    try:
        done = _with_log(kafka, profile, remove)
    except topology.NamespaceMissing as error:
        raise CommandError(str(error), ExitCode.NOT_FOUND) from error
    except topology.NamespaceInUse as error:
        raise CommandError(str(error)) from error
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    for topic in done.kept:
        print(f"= keep   {topic} (streamflow did not make it)")
    print(f"Namespace {name} is gone.")
    return ExitCode.OK


def _confirm(name: str) -> None:
    try:
        typed = input(
            f"Nothing brings them back. Type the namespace's name to delete it ({name}): "
        )
    except EOFError:
        typed = ""
    if typed.strip() != name:
        raise CommandError(
            f"Nothing was deleted: expected the name {name!r}, found {typed.strip()!r}. "
            "Without a terminal give --yes",
            ExitCode.USAGE,
        )


def _forget_local_state(log: Log, name: str, visibility: str | None) -> None:
    """What an embedded log's folder has of it, and the rows of a store of lists."""
    from streamflow import topology, wiring
    from streamflow.visibility.store import Store

    root = wiring.state_root(log)
    if root is not None:
        shutil.rmtree(root / name, ignore_errors=True)
        for file in root.glob(f"visibility-{name}.sqlite*"):
            file.unlink(missing_ok=True)
    if visibility is not None:
        store = Store.open(visibility)
        try:
            store.forget_feed(topology.executions_topic(name), name)
        finally:
            store.close()
