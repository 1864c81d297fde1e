"""``streamflow schemas``: our Avro schemas in a schema registry, for tools that look there."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, show_list

if TYPE_CHECKING:
    from streamflow.schema_registry import Found, Registry, Subject

ENVIRONMENT = "STREAMFLOW_SCHEMA_REGISTRY"

Address = Annotated[
    str | None,
    Parameter(
        name="--registry",
        help="The registry's URL, as http://registry:8081; Apicurio's ends in /apis/ccompat/v7. Default: "
        "STREAMFLOW_SCHEMA_REGISTRY. User and password: STREAMFLOW_SCHEMA_REGISTRY_USER and ..._PASSWORD.",
    ),
]
Namespace = Annotated[str, Parameter(name=["--namespace", "-n"])]
Queues = Annotated[
    list[str] | None,
    Parameter(
        name=["--queue", "-q"],
        help="A queue whose topics' schemas are meant; again for the next one. Those of the namespace's own topics "
        "always are.",
    ),
]
Certificates = Annotated[
    Path | None,
    Parameter(name="--ca", help="Certificates to trust, in PEM. Default: the system's."),
]


def check(
    *,
    registry: Address = None,
    queue: Queues = None,
    namespace: Namespace = "default",
    ca: Certificates = None,
    output: Form = "table",
) -> int:
    """Says which schemas are registered, new, or do not fit. Exits with 1 if some do not fit; changes nothing."""
    from streamflow import schema_registry

    found = _asked(registry, namespace, queue, ca, schema_registry.check)
    _show(found, output)
    misfits = any(one.state is schema_registry.State.INCOMPATIBLE for one in found)
    return ExitCode.FAILED if misfits else ExitCode.OK


def register(
    *,
    registry: Address = None,
    queue: Queues = None,
    namespace: Namespace = "default",
    ca: Certificates = None,
    output: Form = "table",
) -> int:
    """Registers what is not there, under TOPIC-RECORD (Confluent's TopicRecordNameStrategy); nothing if some does not fit."""
    from streamflow import schema_registry

    _show(_asked(registry, namespace, queue, ca, schema_registry.register), output)
    return ExitCode.OK


def _asked(
    url: str | None,
    namespace: str,
    queues: list[str] | None,
    ca: Path | None,
    call: Callable[[Registry, Sequence[Subject]], list[Found]],
) -> list[Found]:
    from streamflow.schema_registry import Registry, RegistryError, subjects

    url = url or os.environ.get(ENVIRONMENT)
    if not url:
        raise CommandError(
            f"Expected a schema registry, found none. Give --registry URL or {ENVIRONMENT}.",
            ExitCode.UNREACHABLE,
        )
    try:
        wanted = subjects(namespace, queues or [])
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    user = os.environ.get(f"{ENVIRONMENT}_USER", "")
    password = os.environ.get(f"{ENVIRONMENT}_PASSWORD", "")
    try:
        with Registry(url, user=user, password=password, ca=ca) as registry:
            return call(registry, wanted)
    except RegistryError as error:
        raise CommandError(str(error)) from error


def _show(found: Sequence[Found], output: Form) -> None:
    rows = [
        {
            "subject": one.subject,
            "state": one.state.value,
            "id": one.number,
            "why": "; ".join(one.why),
        }
        for one in found
    ]
    show_list("Schemas", rows, output, none="No schema is meant.")
