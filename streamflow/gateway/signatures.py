"""Whether a delivery is from whom it should be: HMAC-SHA-256 of the body, in the ways that services write it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

TOLERANCE_S = 300
"""By how much the time in a signature may differ from ours."""


class SignatureError(Exception):
    """It cannot be told to be from them; the message says what was expected."""


class Scheme(msgspec.Struct, frozen=True, kw_only=True):
    """Where the signature is and what it is of."""

    header: str
    prefix: str = ""
    timed: bool = False
    """Whether the time is signed along: ``t=SECONDS,v1=HEX``, of ``SECONDS.BODY``. Others may be sent again by whoever saw them."""
    key: str
    """What tells deliveries apart, unless the file says."""

    @classmethod
    def of(cls, kind: str, header: str = "") -> Self:
        match kind:
            case "github":
                return cls(
                    header=header or "x-hub-signature-256",
                    prefix="sha256=",
                    key="{header:x-github-delivery}",
                )
            case "stripe":
                return cls(header=header or "stripe-signature", timed=True, key="{id}")
            case _:
                return cls(header=header or "x-signature", key="{header:idempotency-key}")


def check(scheme: Scheme, secrets: Iterable[str], headers: Mapping[str, str], body: bytes) -> None:
    """Raises `SignatureError` unless the body is signed with one of the secrets, and lately where time is signed."""
    given = headers.get(scheme.header, "")
    if not given:
        raise SignatureError(f"Expected a signature in {scheme.header}, found none")
    if scheme.timed:
        seconds, found = _timed(given)
        signed = f"{seconds}.".encode() + body
    else:
        if not given.startswith(scheme.prefix):
            raise SignatureError(f"Expected {scheme.header} to begin with {scheme.prefix}")
        found, signed = [given.removeprefix(scheme.prefix)], body
    for secret in secrets:
        right = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        if any(hmac.compare_digest(right.encode(), one.encode()) for one in found):
            return
    raise SignatureError(f"Expected a signature of this body in {scheme.header}, found another")


def _timed(given: str) -> tuple[int, list[str]]:
    pairs = [part.strip().partition("=") for part in given.split(",")]
    times = [value for name, _, value in pairs if name == "t"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit() and len(times[0]) < 12):
        raise SignatureError("Expected a signature like t=SECONDS,v1=HEX, found another form")
    seconds = int(times[0])
    if abs(time.time() - seconds) > TOLERANCE_S:
        raise SignatureError(
            f"Expected a signature that was made within {TOLERANCE_S} s of now, found an older or later one"
        )
    return seconds, [value for name, _, value in pairs if name == "v1"]
