"""Where an archived history is, by the name of its object.

archive/{namespace}/{workflow ID}/{closed, ms since the epoch}-{run ID}.json
"""

from __future__ import annotations

import hashlib
from typing import Final, NamedTuple

from streamflow.ports import name_part

ID_LETTERS_MAX: Final = 180
"""Longer IDs are cut and told apart by a digest: file systems bound the length of a name."""


class ArchivedRun(NamedTuple):
    name: str
    run_id: str
    closed_ms: int


def archive_prefix(namespace: str, workflow_id: str) -> str:
    """What the names of all archived runs of a workflow begin with."""
    part = name_part(workflow_id)
    if len(part) > ID_LETTERS_MAX:
        digest = hashlib.sha256(workflow_id.encode()).hexdigest()[:16]
        part = f"{part[:ID_LETTERS_MAX]}-{digest}"
    return f"archive/{namespace}/{part}/"


def archive_name(namespace: str, workflow_id: str, closed_ms: int, run_id: str) -> str:
    return f"{archive_prefix(namespace, workflow_id)}{closed_ms:013d}-{run_id}.json"


def parse_archive_name(name: str) -> ArchivedRun | None:
    """``None`` for a name that is not of an archived run."""
    closed, _, rest = name.rpartition("/")[2].partition("-")
    run_id, dot, kind = rest.rpartition(".")
    if not closed.isdecimal() or not dot or kind != "json" or not run_id:
        return None
    return ArchivedRun(name, run_id, int(closed))
