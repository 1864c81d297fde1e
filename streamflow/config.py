"""Where streamflow keeps its files on this machine, and what a process is called.

Nothing here reads a configuration file; that is `streamflow.envconfig`.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from streamflow.folder_lock import FolderLock, FolderTaken

DEFAULT_NAMESPACE = "default"
INSTANCE_SLOTS_MAX = 1_000
"""Unnamed processes on one host and queue; the next is refused and asked for a name."""

_INSTANCE_NAME = re.compile(r"[A-Za-z0-9._-]{1,200}")


SWITCH_INTERVAL_S = 0.0005


def share_interpreter() -> None:
    """Lets threads of this process take turns ten times as often as Python's default of 5 ms, unless it was told otherwise.

    A processor that has waited for its disk gets the interpreter back only when the running thread's turn ends. With
    activities that compute, a commit on the embedded log took 5.5 ms by the default and 0.9 ms so (p50).
    """
    if sys.getswitchinterval() == _SWITCH_INTERVAL_OF_PYTHON_S:
        sys.setswitchinterval(SWITCH_INTERVAL_S)


_SWITCH_INTERVAL_OF_PYTHON_S = 0.005


class AssertionsOff(Exception):
    """Python runs without assertions, so what must be true would not be checked before it is committed."""

    def __init__(self) -> None:
        super().__init__(
            "Expected assertions to be on where workflows run, found them off: start Python without -O, and without "
            "PYTHONOPTIMIZE"
        )


def require_assertions() -> None:
    """Raises `AssertionsOff` under ``python -O``."""
    if not __debug__:
        raise AssertionsOff


class NameTaken(Exception):
    """Another process on this machine has the instance name; the message names that process."""


def state_home(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of all local state: ``$XDG_STATE_HOME/streamflow``, else ``~/.local/state/streamflow``."""
    environ = os.environ if environ is None else environ
    home = environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "streamflow"


def config_home(environ: Mapping[str, str] | None = None) -> Path:
    """The folder of configuration: ``$XDG_CONFIG_HOME/streamflow``, else ``~/.config/streamflow``."""
    environ = os.environ if environ is None else environ
    home = environ.get("XDG_CONFIG_HOME")
    return (Path(home) if home else Path.home() / ".config") / "streamflow"


def state_folder(namespace: str, queue: str, name: str, *, root: Path | None = None) -> Path:
    """The folder of one processor's stores."""
    return (root or state_home()) / namespace / _folder_name(queue) / name


def _folder_name(queue: str) -> str:
    """A queue's name as one path element; a dot is escaped too, for ``..`` would lead out."""
    return quote(queue, safe="").replace(".", "%2E")


class Instance:
    """A process's stable name, held by a locked file for as long as the process lives."""

    def __init__(self, name: str, lock: FolderLock) -> None:
        self.name = name
        self._lock = lock

    def release(self) -> None:
        self._lock.release()


def claim_instance(
    namespace: str,
    queue: str,
    name: str | None = None,
    *,
    root: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Instance:
    """Takes ``name``, else ``STREAMFLOW_INSTANCE``, else the host's name with the lowest free slot.

    Raises:
        NameTaken: a process on this machine holds that name for this queue.
        ValueError: the name has other characters than letters, digits, ``.``, ``_`` and ``-``.
    """
    environ = os.environ if environ is None else environ
    folder = (root or state_home(environ)) / namespace / _folder_name(queue)
    folder.mkdir(parents=True, exist_ok=True)
    name = name or environ.get("STREAMFLOW_INSTANCE")
    if name:
        return _claim(folder, _checked(name))
    host = re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "host"
    for slot in range(INSTANCE_SLOTS_MAX):
        try:
            return _claim(folder, f"{host}-{slot}")
        except NameTaken:
            continue
    raise NameTaken(
        f"Expected a free slot among {INSTANCE_SLOTS_MAX} for {host} in {folder}, found none. Name the process."
    )


def _checked(name: str) -> str:
    if not _INSTANCE_NAME.fullmatch(name):
        raise ValueError(
            f"Expected an instance name of letters, digits, '.', '_' and '-' (1 to 200), found {name!r}"
        )
    return name


def _claim(folder: Path, name: str) -> Instance:
    try:
        return Instance(name, FolderLock(folder / ".names" / name, name=name))
    except FolderTaken as taken:
        raise NameTaken(
            f"Expected the instance name {name!r} to be free, found it held by process "
            f"{taken.holder.get('pid', 'unknown')}. End that process or choose another name."
        ) from None
