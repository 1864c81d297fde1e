"""How other commands find a running ``streamflow dev``: a small file in the state folder, as long as it runs."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec

from streamflow.config import state_home


class RunningDev(msgspec.Struct, frozen=True, kw_only=True):
    """A ``streamflow dev`` of this user on this machine."""

    pid: int
    address: str
    namespaces: tuple[str, ...]
    data: str


def path() -> Path:
    return state_home() / "dev.json"


def write(dev: RunningDev) -> None:
    """The one started last is the one that is found."""
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{dev.pid}")
    draft.write_bytes(msgspec.json.encode(dev))
    draft.replace(target)


def remove(dev: RunningDev) -> None:
    """Leaves the file of a later one alone."""
    if read() == dev:
        path().unlink(missing_ok=True)


def read() -> RunningDev | None:
    """The running one; ``None`` when there is none, or its process has gone without a word."""
    try:
        found = msgspec.json.decode(path().read_bytes(), type=RunningDev)
    except (OSError, msgspec.DecodeError, json.JSONDecodeError):
        return None
    return found if _runs(found.pid) else None


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
