"""``streamflow namespace create|list|describe|update|delete``: namespaces of a Kafka, each with topics of its own."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.operating.reaching import Address, asked, is_gateway
from streamflow.cli.operating.topology import Dev, Kafka, Profile, Replication, _with_log
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, show, show_list

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeVar

    from streamflow.client.http.namespaces import HttpNamespaces
    from streamflow.client.http.transport import HttpTransport
    from streamflow.ports import Log
    from streamflow.topology import NamespaceFacts, NamespaceSummary

    T = TypeVar("T")


def create(
    name: str,
    /,
    *,
    description: Annotated[str, Parameter(help="What it is for.")] = "",
    owner: Annotated[str, Parameter(help="Whom to ask.")] = "",
    replication_factor: Replication = None,
    dev: Dev = False,
    kafka: Address = None,
    profile: Profile = None,
) -> int:
    """Makes a namespace's topics, and notes what it is for. Again on one that is there: changes the notes.

    Parameters
    ----------
    name
        Of a-z, 0-9 and '-', at most 63 characters.
    """
    from streamflow import topology

    try:
        declared = topology.declare(name, replication_factor=replication_factor, dev=dev)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error

    def make(log: Log) -> None:
        topology.make_namespace(log, declared, description=description, owner=owner)

    async def ask(namespaces: HttpNamespaces) -> None:
        await namespaces.create(
            name, description, owner, replication_factor=replication_factor, dev=dev
        )

    _with_namespaces(kafka, profile, make, ask)
    print(f"Namespace {name} is there. Queues: streamflow topology apply -n {name} -q QUEUE")
    return ExitCode.OK


def list_(*, output: Form = "table", kafka: Address = None, profile: Profile = None) -> int:
    """Lists the namespaces that have topics; through a gateway those that it serves and you may see."""

    def read(log: Log) -> Sequence[NamespaceSummary]:
        from streamflow import topology

        return [topology.summary_of(log, name) for name in topology.names_of_namespaces(log)]

    async def ask(namespaces: HttpNamespaces) -> Sequence[NamespaceSummary]:
        return await namespaces.all()

    rows: list[dict[str, Any]] = [
        {"namespace": one.namespace, "queues": one.queues, "description": one.description}
        for one in _with_namespaces(kafka, profile, read, ask)
    ]
    show_list("Namespaces", rows, output, none="There is no namespace.")
    return ExitCode.OK


def describe(
    name: str, /, *, output: Form = "table", kafka: Address = None, profile: Profile = None
) -> int:
    """Shows a namespace: its queues, its topics, its quotas, and the search attributes that it declares.

    Parameters
    ----------
    name
        Its name.
    """

    def read(log: Log) -> NamespaceFacts:
        from streamflow import topology

        return topology.describe_namespace(log, name)

    async def ask(namespaces: HttpNamespaces) -> NamespaceFacts:
        return await namespaces.one(name)

    show(_facts(_with_namespaces(kafka, profile, read, ask)), output)
    return ExitCode.OK


def update(
    name: str,
    /,
    *,
    queue: Annotated[
        str | None,
        Parameter(
            name=("--queue", "-q"),
            help="The quotas of this queue alone, in place of the namespace's.",
        ),
    ] = None,
    open_workflows_max: Annotated[
        str | None,
        Parameter(
            help="How many workflows may be open on a queue: a number, or `none`. Children and continued runs are counted, never refused."
        ),
    ] = None,
    starts_per_second: Annotated[
        str | None,
        Parameter(help="How many workflows may begin on a queue in a second: a number, or `none`."),
    ] = None,
    description: Annotated[str | None, Parameter(help="What it is for.")] = None,
    owner: Annotated[str | None, Parameter(help="Whom to ask.")] = None,
    kafka: Address = None,
    profile: Profile = None,
) -> int:
    """Changes a namespace's quotas and notes; what is not given stays. Processors notice within some 10 seconds.

    Parameters
    ----------
    name
        Its name.
    """
    quota: dict[str, int | float | None] = {}
    if open_workflows_max is not None:
        quota["open_workflows_max"] = _figure("--open-workflows-max", open_workflows_max, int)
    if starts_per_second is not None:
        quota["starts_per_second"] = _figure("--starts-per-second", starts_per_second, float)
    notes = {
        key: value
        for key, value in (("description", description), ("owner", owner))
        if value is not None
    }
    if queue and not quota:
        raise CommandError(
            "Expected --open-workflows-max or --starts-per-second for the queue, found neither",
            ExitCode.USAGE,
        )
    if not quota and not notes:
        raise CommandError(
            "Expected something to change: --open-workflows-max, --starts-per-second, --description or --owner",
            ExitCode.USAGE,
        )

    def change(log: Log) -> None:
        from streamflow import topology

        wanted = topology.NamespaceChange(queue=queue or "", quota=quota, notes=notes)
        topology.change_namespace(log, name, wanted)

    async def ask(namespaces: HttpNamespaces) -> None:
        from streamflow import topology

        wanted = topology.NamespaceChange(queue=queue or "", quota=quota, notes=notes)
        await namespaces.change(name, wanted)

    _with_namespaces(kafka, profile, change, ask)
    print(f"Namespace {name} is changed. Processors notice within some 10 seconds.")
    return ExitCode.OK


def _with_namespaces(
    kafka: str | None,
    profile: str | None,
    of_log: Callable[[Log], T],
    of_gateway: Callable[[HttpNamespaces], Awaitable[T]],
) -> T:
    from streamflow import topology

    async def ask(transport: HttpTransport) -> T:
        from streamflow.client.http.namespaces import HttpNamespaces

        return await of_gateway(HttpNamespaces(transport))

    try:
        return asked(kafka, profile, None, of_log, ask)
    except topology.NamespaceMissing as error:
        raise CommandError(str(error), ExitCode.NOT_FOUND) from error


def _facts(found: NamespaceFacts) -> dict[str, Any]:
    return {
        "namespace": found.namespace,
        "description": found.description,
        "owner": found.owner,
        "open_workflows_max": found.open_workflows_max,
        "starts_per_second": found.starts_per_second,
        "queue_quotas": {
            queue: {
                "open_workflows_max": quota.open_workflows_max,
                "starts_per_second": quota.starts_per_second,
            }
            for queue, quota in found.queue_quotas.items()
        },
        "queues": {
            queue.name: f"{queue.kind}, {queue.partitions} partitions" for queue in found.queues
        },
        "search_attributes": dict(found.search_attributes),
        "topics": list(found.topics),
    }


def _figure(option: str, text: str, kind: type[int] | type[float]) -> int | float | None:
    """``None`` for no bound."""
    from streamflow.topology.namespaces import FIGURE_MAX

    if text == "none":
        return None
    try:
        figure = kind(text)
    except ValueError:
        figure = kind(-1)
    if not 0 <= figure <= FIGURE_MAX:
        whole = " whole" if kind is int else ""
        raise CommandError(
            f"Expected a{whole} number from 0 to {FIGURE_MAX:,} or `none` for {option}, found {text!r}",
            ExitCode.USAGE,
        )
    return figure


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

    if is_gateway(kafka, profile):
        raise CommandError(
            "Expected the address of Kafka, found that of a gateway, which deletes no namespace: it serves them",
            ExitCode.USAGE,
        )

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
