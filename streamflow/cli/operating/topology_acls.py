"""``streamflow topology acls``: the grants that a kind of process needs of Kafka, in the words of whoever gives them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from streamflow.cli.operating.topology import Namespace, Queues
from streamflow.cli.shared.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from streamflow.topology.grants import Grant

RoleName = Annotated[
    Literal["processor", "worker", "client", "gateway", "admin"],
    Parameter(
        name=["--role", "-r"], help="What the process does. One that does two things needs both."
    ),
]
Principal = Annotated[
    str, Parameter(help="Kafka's name of who is given it. Default: `User:` and the role.")
]
Reaches = Annotated[
    list[str] | None,
    Parameter(
        help="Another queue that workflows start children or activities in, or signal; again for the next one."
    ),
]
Form = Annotated[
    Literal["kafka-acls", "strimzi", "json"],
    Parameter(name="--format", help="Commands, the spec of a Strimzi KafkaUser, or JSON."),
]


def acls(
    *,
    role: RoleName,
    queue: Queues = None,
    namespace: Namespace = "default",
    principal: Principal = "",
    reaches: Reaches = None,
    form: Form = "kafka-acls",
) -> int:
    """Prints the grants of a role, and nothing is asked of Kafka: review them, then give them."""
    from streamflow.topology.grants import grants

    try:
        found = grants(namespace, queue or [], role, reaches=reaches or ())
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    match form:
        case "kafka-acls":
            print(_commands(found, principal or f"User:{role}"))
        case "strimzi":
            print(_strimzi(found))
        case "json":
            print(json.dumps([_as_json(grant) for grant in found], indent=2))
    return ExitCode.OK


def _commands(found: Sequence[Grant], principal: str) -> str:
    lines: list[str] = []
    for grant in found:
        words = ["kafka-acls.sh", "--bootstrap-server", "$KAFKA", "--add"]
        words += ["--allow-principal", shlex.quote(principal)]
        for operation in grant.operations:
            words += ["--operation", operation]
        words.append(f"--{grant.resource}")
        if grant.resource != "cluster":
            words.append(shlex.quote(grant.name))
        if grant.prefixed:
            words += ["--resource-pattern-type", "prefixed"]
        lines += [f"# {_why(grant)}", " ".join(words)]
    return "\n".join(lines)


def _why(grant: Grant) -> str:
    return f"optional: {grant.why}" if grant.optional else grant.why


_STRIMZI_TYPES = {"transactional-id": "transactionalId"}


def _strimzi(found: Sequence[Grant]) -> str:
    """To be put under `spec` of a KafkaUser."""
    lines = ["authorization:", "  type: simple", "  acls:"]
    for grant in found:
        kind = _STRIMZI_TYPES.get(grant.resource, grant.resource)
        operations = ", ".join(grant.operations)
        lines += [f"    - resource:  # {_why(grant)}", f"        type: {kind}"]
        if grant.resource != "cluster":
            pattern = "prefix" if grant.prefixed else "literal"
            lines += [f"        name: {json.dumps(grant.name)}", f"        patternType: {pattern}"]
        lines.append(f"      operations: [{operations}]")
    return "\n".join(lines)


def _as_json(grant: Grant) -> dict[str, object]:
    return {
        "resource": grant.resource,
        "name": grant.name,
        "pattern": "prefixed" if grant.prefixed else "literal",
        "operations": list(grant.operations),
        "why": grant.why,
        "optional": grant.optional,
    }
