"""Which schema stands under which name: that of its topic, a hyphen, and the record's full name.

So several kinds of records can be in one topic (`TopicRecordNameStrategy` of Confluent's serializers).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from streamflow.topology.declarations import TopicDeclaration, topics_file
from streamflow.topology.names import check_namespace, encode_queue
from streamflow.wire.files import read_data


class Subject(NamedTuple):
    name: str
    schema: str
    """Avro as JSON, self-contained."""


def subjects(namespace: str, queues: Sequence[str]) -> list[Subject]:
    """The current schema of every kind of record in the namespace's topics and in those of these queues.

    Raises:
        ValueError: it is no namespace, or a queue's name is empty.
    """
    check_namespace(namespace)
    index: dict[str, str] = json.loads(read_data("schemas", "index.json"))
    paths = sorted(index.values())
    return [
        Subject(f"{topic}-{full_name}", schema)
        for declared in topics_file().topics.values()
        for topic in _names(declared, namespace, queues)
        for area in declared.schemas
        for full_name, schema in _schemas(area, paths)
    ]


def _names(declared: TopicDeclaration, namespace: str, queues: Sequence[str]) -> Iterator[str]:
    if declared.per == "namespace":
        yield declared.name.format(ns=namespace)
        return
    for queue in dict.fromkeys(queues):
        yield declared.name.format(ns=namespace, queue=encode_queue(queue))


def _schemas(area: str, paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Full names and schemas; former versions are in folders below the area's and are left out."""
    for path in paths:
        if path.rpartition("/")[0] == area:
            schema: dict[str, Any] = json.loads(read_data("schemas", path))
            yield (
                f"{schema['namespace']}.{schema['name']}",
                json.dumps(schema, separators=(",", ":"), ensure_ascii=False),
            )
