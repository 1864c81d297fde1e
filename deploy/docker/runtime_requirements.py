"""The part of requirements.lock that the package itself needs, with its hashes; the rest of the lock is for tests.

    python runtime_requirements.py requirements.lock pyproject.toml EXTRA...     what it runs with
    python runtime_requirements.py requirements.lock pyproject.toml --build      what its wheel is built with

The lock says of each package by whom it is needed (``# via``), so what is needed follows from who asks first.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

BUILD_FRONTEND = "build"


def main(lock: str, project: str, *extras: str) -> str:
    declared = tomllib.loads(Path(project).read_text())
    if extras == ("--build",):
        asked = [*declared["build-system"]["requires"], BUILD_FRONTEND]
    else:
        optional = declared["project"]["optional-dependencies"]
        asked = [*declared["project"]["dependencies"], *(one for extra in extras for one in optional[extra])]  # fmt: skip
    blocks = {_name(block): block for block in _blocks(Path(lock).read_text())}
    needed = {_normal(one) for one in asked}
    if unknown := needed - blocks.keys():
        raise SystemExit(f"Expected {', '.join(sorted(unknown))} in {lock}, found none: make lock")
    while more := {name for name in blocks.keys() - needed if _parents(blocks[name]) & needed}:
        needed |= more
    return "".join(blocks[name] for name in sorted(needed))


def _blocks(text: str) -> list[str]:
    """Each package with its hashes and its comment."""
    return re.findall(r"(?m)^[A-Za-z0-9].*\n(?: .*\n)*", text)


def _name(block: str) -> str:
    return _normal(block.partition("==")[0])


def _normal(requirement: str) -> str:
    """A package's name, as every index compares it."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def _parents(block: str) -> set[str]:
    """Who needs it; not the project, which asks for other packages for its tests."""
    via = block.partition("# via")[2]
    words = [word.strip(" #") for word in via.splitlines()]
    return {_normal(word) for word in words if word and "(" not in word}


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]))
