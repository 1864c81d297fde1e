"""``streamflow replay FOLDER``: every saved history of a folder, each with what became of it. For CI before a release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.progress import Progress

if TYPE_CHECKING:
    from streamflow.app import App

Replay = Callable[[Path, "Sequence[App]"], str]
"""Replays one file and says the outcome. Raises `CommandError` for what does not fit."""


def replay_folder(folder: Path, apps: Sequence[App], replay: Replay) -> int:
    """Every ``*.json`` below the folder, in order. FAILED when one does not fit the code, or cannot be read."""
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise CommandError(
            f"Expected histories (*.json) in {folder}, found none: `streamflow workflow history ID --file` writes them",
            ExitCode.USAGE,
        )
    failures: list[str] = []
    with Progress("histories", len(files)) as progress:
        for file in files:
            try:
                replay(file, apps)
            except CommandError as error:
                failures.append(f"{file}: {error}")
            except Exception as error:  # the user's code raised it, and its author is told below
                failures.append(f"{file}: {type(error).__name__}: {error}")
            progress.add()
    for failure in failures:
        print(failure)
    print(f"{len(files) - len(failures)} of {len(files)} histories fit the code.")
    return ExitCode.FAILED if failures else ExitCode.OK
