"""``schemas/asyncapi.json``: topics, who writes and reads them, and the records in them, as an AsyncAPI 3 document for tools.

It follows from ``topology/`` and ``schemas/``: ``python -m streamflow.topology.asyncapi`` writes it, ``--check`` says whether it is current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any, Final

from streamflow.ports import TopicSpec
from streamflow.topology.declarations import (
    Queue,
    Role,
    TopicDeclaration,
    declare,
    roles,
    topics_file,
)
from streamflow.wire import catalog, public
from streamflow.wire.generate import FOLDER

FILE: Final = "asyncapi.json"
BINDING: Final = "0.5.0"
AVRO: Final = "application/vnd.apache.avro+json;version=1.9.0"
JSON_SCHEMA: Final = "application/schema+json;version=2020-12"

_PARAMETERS: Final = {
    "ns": "The namespace.",
    "queue": "The task queue; bytes of its name outside A-Z a-z 0-9 - are _XX (docs/topics.md).",
}
_OURS: Final = ("processor", "worker", "gateway")
"""The roles that are this application; clients, lists and outsiders are those whom it speaks to."""
_NAMED_BY_THE_BINDING: Final = (
    "cleanup.policy", "retention.ms", "retention.bytes", "delete.retention.ms", "max.message.bytes",
)  # fmt: skip


def document() -> dict[str, Any]:
    """The whole document, as plain values."""
    topics = topics_file().topics
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "streamflow",
            "version": version("streamflow"),
            "description": "Durable execution on Kafka. Every topic of a namespace and of its task queues. Anybody may send the "
            "messages `public.*` to an inbox, and read `executions` and `history` with isolation.level=read_committed.",
            "license": {"name": "Apache-2.0"},
        },
        "servers": {
            "kafka": {"host": "localhost:9092", "protocol": "kafka", "description": "Your Kafka."}
        },
        "channels": {name: _channel(name, topic) for name, topic in topics.items()},
        "operations": dict(
            _operation(role, action, name, roles()[role])
            for role in _OURS
            for action, name in _actions(roles()[role])
        ),
        "components": {
            "messages": {
                name: message
                for area in sorted({area for topic in topics.values() for area in topic.schemas})
                for name, message in _messages(area).items()
            }
        },
    }


def text() -> str:
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def _channel(name: str, topic: TopicDeclaration) -> dict[str, Any]:
    declared = _declared()[name]
    config: dict[str, Any] = {
        key: declared.config[key] for key in _NAMED_BY_THE_BINDING if key in declared.config
    }
    numbers = {key: int(value) for key, value in config.items() if key != "cleanup.policy"}
    return {
        "address": topic.name,
        "description": f"{topic.holds[0].upper()}{topic.holds[1:]}. Key: {topic.key}.",
        "messages": {
            message: {"$ref": f"#/components/messages/{message}"}
            for area in topic.schemas
            for message in _messages(area)
        },
        "parameters": {
            parameter: {"description": about}
            for parameter, about in _PARAMETERS.items()
            if f"{{{parameter}}}" in topic.name
        },
        "bindings": {
            "kafka": {
                "partitions": declared.partitions,
                "replicas": declared.replication_factor,
                "topicConfiguration": {
                    "cleanup.policy": config["cleanup.policy"].split(","),
                    **numbers,
                },
                "bindingVersion": BINDING,
            }
        },
    }


@cache
def _declared() -> Mapping[str, TopicSpec]:
    """Each topic as it is made where nothing else is asked for."""
    specs = declare("n", [Queue(name="q")]).topics
    return {spec.name.rpartition(".")[2]: spec for spec in specs}


def _actions(role: Role) -> Sequence[tuple[str, str]]:
    read = dict.fromkeys((*role.consumes, *role.restores_from, *role.tails, *role.reads))
    written = dict.fromkeys((*role.in_transaction, *role.beside))
    return [*(("receive", name) for name in read), *(("send", name) for name in written)]


def _operation(role: str, action: str, name: str, declared: Role) -> tuple[str, dict[str, Any]]:
    how = ""
    if action == "send":
        within = name in declared.in_transaction
        how = " In the transaction that also commits the input's offset." if within else " Beside any transaction."  # fmt: skip
    found: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": f"The {role} {action}s.{how}".replace("receives.", "reads."),
    }
    if declared.group and name in declared.consumes:
        group = {"type": "string", "description": declared.group}
        found["bindings"] = {"kafka": {"groupId": group, "bindingVersion": BINDING}}
    return f"{role}.{action}.{name}", found


def _messages(area: str) -> Mapping[str, dict[str, Any]]:
    """The messages of an area of ``schemas/``, by their names here."""
    if area == "public":
        return {f"public.{message.__name__}": _public(message) for message in public.MESSAGES}
    return {
        f"{area}.{struct.__name__}": {
            "name": struct.__name__,
            "contentType": "application/vnd.apache.avro",
            "payload": {
                "schemaFormat": AVRO,
                "schema": {"$ref": f"./{area}/{struct.__name__}.avsc"},
            },
            "bindings": {
                "kafka": {
                    "schemaIdLocation": "payload",
                    # C3 01 and the CRC-64-AVRO fingerprint, as Avro's specification has it.
                    "schemaIdPayloadEncoding": "avro-single-object",
                    "bindingVersion": BINDING,
                }
            },
        }
        for struct in catalog.AREAS[area]
    }


def _public(message: type[public.Message]) -> dict[str, Any]:
    tag = public.tag_of(message)
    return {
        "name": message.__name__,
        "title": f"{message.__name__}, version {public.VERSION}",
        "contentType": "application/json",
        "payload": {
            "schemaFormat": JSON_SCHEMA,
            "schema": {"$ref": f"./public/{tag}.v{public.VERSION}.json"},
        },
        "bindings": {
            "kafka": {
                "key": {"type": "string", "description": "The workflow ID, raw UTF-8."},
                "bindingVersion": BINDING,
            }
        },
    }


def main(arguments: Sequence[str]) -> int:
    file = FOLDER / FILE
    if list(arguments) == ["--check"]:
        current = file.exists() and file.read_text() == text()
        if not current:
            sys.stderr.write(f"Expected {file} as topology/ and schemas/ say, found another: python -m {__spec__.name}\n")  # fmt: skip
        return 0 if current else 1
    file.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
