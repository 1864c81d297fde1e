"""Histories in files, ours and Temporal's. Our own format is `streamflow.wire.history_file`'s, which archives have as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamflow.model.events import History
from streamflow.wire.history_file import (
    EVENT_TYPES,
    FILE_BYTES_MAX,
    FORMAT,
    HistoryFileError,
    event_from_json,
    event_to_json,
    from_json,
    from_json_dict,
    parsed,
    to_json_dict,
)

__all__ = [
    "EVENT_TYPES",
    "FILE_BYTES_MAX",
    "FORMAT",
    "HistoryFileError",
    "event_from_json",
    "event_to_json",
    "from_json",
    "from_json_dict",
    "from_json_of_any",
    "to_json_dict",
]


def from_json_of_any(workflow_id: str | None, value: str | bytes | Mapping[str, Any]) -> History:
    """The history of a file of ours, or of one that Temporal's tools wrote, as text or parsed."""
    from streamflow.client.temporal_json import reader as temporal_history

    content: Any = parsed(value) if isinstance(value, str | bytes) else dict(value)
    if temporal_history.is_temporal(content):
        return temporal_history.from_temporal(workflow_id, content)
    return from_json_dict(content)
