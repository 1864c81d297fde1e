"""The topics of a namespace: what each holds, how much, and the schemas of its records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from starlette.responses import Response

from streamflow.gateway.access import Role
from streamflow.model.queues import QueueEntry
from streamflow.ports import Log, TopicPartition, TopicState
from streamflow.topology import encode_queue
from streamflow.topology.declarations import TopicDeclaration, topics_file
from streamflow.ui.logs import asked
from streamflow.ui.site import Problem, Visit, requires
from streamflow.wire.files import data_folder, read_data

SUFFIX = ".avsc"


@dataclass(frozen=True)
class Row:
    """A topic that should be there."""

    name: str
    queue: str
    """Empty for those of the whole namespace."""
    declared: TopicDeclaration
    state: TopicState | None
    """``None`` if it is not there."""
    end: int
    """Offsets of all its partitions: how much was ever written, marks of transactions among it."""


@requires(Role.VIEWER)
async def page(visit: Visit) -> Response:
    """The engine's topics, those of the namespace first."""
    entries = await visit.client.transport.queues()
    rows = await asked(
        visit, "Topics", lambda log: _rows(log, visit.namespace, [*entries.values()])
    )
    folders = sorted({folder for row in rows for folder in row.declared.schemas})
    return visit.page("topics.html", rows=rows, schemas=[(one, _files(one)) for one in folders])


@requires(Role.VIEWER)
async def schema(visit: Visit) -> Response:
    """The schema that ``path`` names, as it is in the package."""
    path = visit.asked("path")
    folder, _, name = path.partition("/")
    if folder not in {one for topic in topics_file().topics.values() for one in topic.schemas}:
        raise Problem(404, f"Expected the path of a schema, found {path!r}")
    if name not in _files(folder):
        raise Problem(404, f"Expected a schema of {folder}, found {name!r}")
    text = read_data("schemas", path).decode()
    return visit.page("schema.html", path=path, doc=_doc(text), text=text)


def _rows(log: Log, namespace: str, entries: Sequence[QueueEntry]) -> list[Row]:
    there = log.topics()
    declared = topics_file().topics.values()
    wanted = [
        (topic.name.format(ns=namespace), "", topic)
        for topic in declared
        if topic.per == "namespace"
    ]
    for entry in sorted(entries, key=lambda entry: entry.name):
        for topic in declared:
            if topic.per == "namespace" or (
                topic.per == "workflow-queue" and entry.kind != "workflow"
            ):
                continue
            name = topic.name.format(ns=namespace, queue=encode_queue(entry.name))
            wanted.append((name, entry.name, topic))
    reader = log.reader()
    try:
        found: list[Row] = []
        for name, queue, topic in wanted:
            state = there.get(name)
            count = state.partitions if state is not None else 0
            places = [TopicPartition(name, number) for number in range(count)]
            end = sum(reader.end_offsets(places).values())
            found.append(Row(name, queue, topic, state, end))
        return found
    finally:
        reader.close()


@cache
def _files(folder: str) -> Sequence[str]:
    there = data_folder("schemas") / folder
    return sorted(file.name for file in there.iterdir() if file.name.endswith(SUFFIX))


def _doc(text: str) -> str:
    """What the schema says of itself."""
    return str(json.loads(text).get("doc", ""))
