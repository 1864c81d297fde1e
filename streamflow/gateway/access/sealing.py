"""Values that a browser keeps for us and cannot change: signed JSON with an end, for one purpose each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

SECRET_BYTES_MIN = 32


class Sealer:
    """Signs with HMAC-SHA-256, by a key for each purpose, so that a value for one is none for another."""

    def __init__(self, secret: bytes) -> None:
        assert len(secret) >= SECRET_BYTES_MIN, "Expected the settings to refuse a short secret"
        self._secret = secret

    def seal(self, purpose: str, value: dict[str, Any], *, seconds: float) -> str:
        """The value as text for a cookie, good for so long."""
        content = json.dumps({**value, "exp": time.time() + seconds}, separators=(",", ":"))
        body = _text(content.encode())
        return f"{body}.{self.mark(purpose, body)}"

    def unseal(self, purpose: str, text: str) -> dict[str, Any] | None:
        """The value; ``None`` if it is not ours, or its time is over."""
        body, _, mark = text.partition(".")
        if not hmac.compare_digest(mark.encode(), self.mark(purpose, body).encode()):
            return None
        value: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return value if value["exp"] > time.time() else None

    def mark(self, purpose: str, text: str) -> str:
        """What only we can say of a text."""
        key = hmac.digest(self._secret, purpose.encode(), hashlib.sha256)
        return _text(hmac.digest(key, text.encode(), hashlib.sha256))


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
