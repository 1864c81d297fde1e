"""How many bytes user data takes, about: enough to refuse what no record could hold, before it is recorded."""

from __future__ import annotations

from collections.abc import Mapping

from streamflow.model.failure import Failure
from streamflow.model.payload import Payload, Payloads

OVERHEAD_BYTES = 8
"""Lengths and counts around one payload."""


def payload_bytes(*groups: Payloads | Mapping[str, Payload] | None) -> int:
    return sum(_group_bytes(group) for group in groups if group)


def failure_bytes(failure: Failure | None) -> int:
    """A failure with its causes."""
    size = 0
    while failure is not None:
        size += len(failure.message) + len(failure.stack_trace)
        size += payload_bytes(failure.details, failure.encoded_attributes)
        failure = failure.cause
    return size


def _group_bytes(group: Payloads | Mapping[str, Payload]) -> int:
    if isinstance(group, Mapping):
        names = sum(len(name) for name in group)
        return names + sum(_payload_bytes(payload) for payload in group.values())
    return sum(_payload_bytes(payload) for payload in group)


def _payload_bytes(payload: Payload) -> int:
    described = sum(len(name) + len(value) for name, value in payload.metadata.items())
    return len(payload.data) + described + OVERHEAD_BYTES
