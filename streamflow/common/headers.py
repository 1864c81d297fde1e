"""Whether headers are encoded like payloads."""

from __future__ import annotations

from enum import IntEnum


class HeaderCodecBehavior(IntEnum):
    """Whether the payload codec encodes the headers that interceptors set."""

    NO_CODEC = 1
    """Nowhere: headers travel as interceptors made them. The default."""
    CODEC = 2
    """Clients and workers encode those they send and decode those they receive."""
    WORKFLOW_ONLY_CODEC = 3
    """Only where workflow code is stepped: those that a workflow sends and receives."""
