"""``streamflow init``: a project to begin with, whose tests pass. Its files are the templates of `scaffold`."""

from __future__ import annotations

import keyword
import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template
from typing import Annotated

from cyclopts import Parameter

from streamflow.cli.shared.exits import CommandError, ExitCode

_PROJECT = re.compile(r"[a-z][a-z0-9-]{0,62}")
_RENAMED = {"gitignore": ".gitignore"}
_TAKEN = {"streamflow", "tests"}


def init(
    folder: Annotated[Path, Parameter(help="Made if it is not there. Its name is the project's.")],
    /,
    *,
    name: Annotated[
        str | None, Parameter(help="The project's name, of a-z, 0-9 and '-', instead.")
    ] = None,
) -> int:
    """Makes a project with a workflow, its activities and tests that pass. Files that are there stay as they are."""
    project = name or folder.resolve().name
    package = project.replace("-", "_")
    if not _PROJECT.fullmatch(project) or keyword.iskeyword(package) or package in _TAKEN:
        raise CommandError(
            f"Expected a name of a-z, 0-9 and '-' that begins with a letter and is no word of Python, found {project!r}. "
            "Choose another: --name",
            ExitCode.USAGE,
        )
    words = {"project": project, "package": package, "queue": project}
    written = {
        folder / path: Template(text).substitute(words)
        for path, text in _templates(files("streamflow.cli") / "scaffold", Path(), package)
    }
    there = [str(path) for path in written if path.exists()]
    if there:
        raise CommandError(
            f"Expected a folder without these files, found {', '.join(there)}. Nothing was written",
            ExitCode.USAGE,
        )
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for path in sorted(written):
        print(path)
    print(f"\nNext:\n  cd {folder}\n  python -m pytest\n  streamflow dev {package}.app:app")
    return ExitCode.OK


def _templates(folder: Traversable, below: Path, package: str) -> list[tuple[Path, str]]:
    """Where each file goes, and its text with places for the project's names."""
    found: list[tuple[Path, str]] = []
    for item in folder.iterdir():
        if item.is_dir():
            name = package if item.name == "package" else item.name
            found += _templates(item, below / name, package)
        elif item.name.endswith(".txt"):
            name = item.name.removesuffix(".txt")
            found.append((below / _RENAMED.get(name, name), item.read_text(encoding="utf-8")))
    return found
