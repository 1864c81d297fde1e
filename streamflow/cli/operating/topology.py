"""``streamflow topology plan|apply``: the topics of a namespace and its queues, shown and made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from cyclopts import Parameter

from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, print_data

if TYPE_CHECKING:
    from streamflow.ports import Log
    from streamflow.topology import Declarations, Plan

T = TypeVar("T")

Queues = Annotated[
    list[str] | None,
    Parameter(name=["--queue", "-q"], help="A task queue; again for the next one."),
]
Namespace = Annotated[str, Parameter(name=["--namespace", "-n"], help="Default: `default`.")]
Partitions = Annotated[
    int | None,
    Parameter(
        help="Of the queues given; fixed afterwards. Default: 12, or what an existing queue has."
    ),
]
Replication = Annotated[
    int | None, Parameter(help="Copies of each topic. Default: 3, or 1 with --dev.")
]
Kind = Annotated[
    Literal["workflow", "activity"],
    Parameter(help="Whether the queues run workflows or activities only."),
]
Dev = Annotated[bool, Parameter(help="For one broker on a laptop: one copy is enough.")]
Kafka = Annotated[
    str | None,
    Parameter(
        name=["--kafka", "--address"],
        help="HOST:PORT. Default: STREAMFLOW_ADDRESS, else the profile's.",
    ),
]
Profile = Annotated[str | None, Parameter(help="Profile with further options of Kafka.")]


def plan(
    *,
    queue: Queues = None,
    namespace: Namespace = "default",
    partitions: Partitions = None,
    replication_factor: Replication = None,
    kind: Kind = "workflow",
    dev: Dev = False,
    output: Form = "table",
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Shows what `apply` would do. Without an address: everything that is declared."""
    import msgspec

    from streamflow import topology

    declared = _declare(queue, namespace, partitions, replication_factor, kind, dev)
    if _address(kafka, profile) is None:
        if output == "table":
            print(_declared_text(declared))
        else:
            print_data(msgspec.to_builtins(declared.topics), output)
        return ExitCode.OK
    planned = _with_log(
        kafka, profile, lambda log: topology.plan(log, _kept(log, declared, partitions))
    )
    if output == "table":
        print(planned)
    else:
        print_data(msgspec.to_builtins(planned), output)
    return ExitCode.FAILED if planned.refusals else ExitCode.OK


def apply(
    *,
    queue: Queues = None,
    namespace: Namespace = "default",
    partitions: Partitions = None,
    replication_factor: Replication = None,
    kind: Kind = "workflow",
    dev: Dev = False,
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Makes the topics of a namespace and of these queues, and stamps the queues. Nothing is ever deleted."""
    from streamflow import topology

    declared = _declare(queue, namespace, partitions, replication_factor, kind, dev)

    def make(log: Log) -> Plan:
        planned = topology.plan(log, _kept(log, declared, partitions))
        print(planned)
        topology.apply(log, planned)
        return planned

    _with_log(kafka, profile, make)
    print("Done.")
    return ExitCode.OK


def _declare(
    queues: list[str] | None,
    namespace: str,
    partitions: int | None,
    replication_factor: int | None,
    kind: Literal["workflow", "activity"],
    dev: bool,
) -> Declarations:
    from streamflow import topology

    wanted = [topology.Queue(name=name, partitions=partitions, kind=kind) for name in queues or []]
    try:
        return topology.declare(namespace, wanted, replication_factor=replication_factor, dev=dev)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


def _kept(log: Log, declared: Declarations, partitions: int | None) -> Declarations:
    """Existing queues keep their partition count unless another is asked for, which the plan then refuses."""
    from streamflow import topology

    if partitions is not None:
        return declared
    known = topology.read_queues(log, declared.namespace)
    if not any(entry.name in known for entry in declared.queues):
        return declared
    wanted = [
        topology.Queue(
            name=entry.name,
            kind=entry.kind,
            partitions=known[entry.name].partitions if entry.name in known else None,
        )
        for entry in declared.queues
    ]
    replicas = declared.topics[0].replication_factor
    return topology.declare(
        declared.namespace, wanted, replication_factor=replicas, dev=declared.dev
    )


def _declared_text(declared: Declarations) -> str:
    lines = ["Declared (give --kafka HOST:PORT to compare it with what is there):"]
    for spec in declared.topics:
        settings = ", ".join(f"{name}={value}" for name, value in sorted(spec.config.items()))
        lines.append(
            f"  {spec.name} ({spec.partitions} partitions, {spec.replication_factor} replicas)\n      {settings}"
        )
    return "\n".join(lines)


def _address(kafka: str | None, profile: str | None) -> str | None:
    from streamflow.envconfig import ClientConfigProfile

    return kafka or ClientConfigProfile.load(profile).address


def _with_log(kafka: str | None, profile: str | None, work: Callable[[Log], T]) -> T:
    from streamflow import topology, wiring
    from streamflow.envconfig import ClientConfigProfile

    settings = ClientConfigProfile.load(profile)
    target = kafka or settings.address
    if target is None:
        raise CommandError(
            "Expected the address of Kafka: give --kafka HOST:PORT, set STREAMFLOW_ADDRESS, or a profile",
            ExitCode.UNREACHABLE,
        )
    try:
        kind = wiring.kind_of(target)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    config = settings.kafka_options() if kind is wiring.LogKind.KAFKA else None
    log = wiring.open_log(target, config=config)
    try:
        return work(log)
    except topology.PlanRefused as error:
        raise CommandError("Nothing was changed: the plan has refusals") from error
    finally:
        log.close()
