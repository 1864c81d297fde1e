"""The bodies that both sides speak."""

from __future__ import annotations

import msgspec

from streamflow.model.payload import Payload

NAMESPACE_HEADER = "x-namespace"
USER_HEADER = "x-streamflow-user"
"""Whom the gateway asks for."""
BODY_BYTES_MAX = 16 * 1024 * 1024


class PayloadsBody(msgspec.Struct, frozen=True, kw_only=True):
    """Payloads as they are stored, in JSON: bytes in base64."""

    payloads: tuple[Payload, ...] = ()
