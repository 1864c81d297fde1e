"""Payloads as the checker reads them: plain JSON, without the converter under test."""

from __future__ import annotations

import json
from typing import Any

from streamflow.model.payload import Payload


def json_of(payload: Payload | None) -> Any:
    return None if payload is None or not payload.data else json.loads(payload.data)
