"""How many bytes user data takes, about: enough to refuse what no record could hold, before it is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from streamflow.model.failure import Failure
from streamflow.model.payload import Payload, Payloads

OVERHEAD_BYTES = 8
"""Lengths and counts around one payload."""

SHORT_MESSAGE_CHARS = 1_000
"""Of a failure that is too large to be kept as it is."""

SHOWN_CHARS_MAX = 10_000
"""Of a text that lists and descriptions have in one record with a run's memo."""


def payload_bytes(*groups: Payloads | Mapping[str, Payload] | None) -> int:
    """Plain loops: this runs on every step's way, and generators cost more than what they add up."""
    size = 0
    for group in groups:
        if not group:
            continue
        if isinstance(group, tuple):
            payloads: Iterable[Payload] = group
        else:
            payloads = group.values()
            size += len("".join(group))
        for payload in payloads:
            size += len(payload.data) + OVERHEAD_BYTES
            for name, value in payload.metadata.items():
                size += len(name) + len(value)
    return size


def text_bytes(*texts: str) -> int:
    size = 0
    for text in texts:
        size += len(text) if text.isascii() else len(text.encode(errors="surrogatepass"))
    return size


def failure_bytes(failure: Failure | None) -> int:
    """A failure with its causes."""
    size = 0
    while failure is not None:
        size += text_bytes(failure.message, failure.stack_trace)
        size += payload_bytes(failure.details, failure.encoded_attributes)
        failure = failure.cause
    return size


def beginning(text: str, chars_max: int = SHOWN_CHARS_MAX) -> str:
    """The text as it is if it fits, else its beginning."""
    return text if len(text) <= chars_max else f"{text[: chars_max - 1]}…"


def shortened(failure: Failure, bytes_max: int) -> Failure:
    """The failure as it is if it fits, else its beginning: what it was, without details, stack and causes."""
    found = failure_bytes(failure)
    if found <= bytes_max:
        return failure
    return msgspec.structs.replace(
        failure,
        message=f"{failure.message[:SHORT_MESSAGE_CHARS]} (shortened: {found} bytes, {bytes_max} may be kept)",
        stack_trace="",
        details=(),
        encoded_attributes=(),
        cause=None,
    )
