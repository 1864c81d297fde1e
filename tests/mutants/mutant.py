"""A bug as a change of one place in one file, and planting it into a process that has not imported the file yet."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
SIMULATION = ("simulation",)
"""The judge of most: whole systems under seeded faults (`tests.simulation`)."""


class Mutant(NamedTuple):
    """``before`` is to be found once in ``file`` (a path within the package), and is replaced by ``after``."""

    name: str
    file: str
    before: str
    after: str
    judges: tuple[str, ...] = SIMULATION
    """`SIMULATION`, or the tests that must fail, as pytest takes them."""
    safety: bool = True
    """Whether it loses, doubles, tears or invents something; else it only keeps work from being done."""

    @property
    def path(self) -> Path:
        return ROOT / "streamflow" / self.file

    @property
    def module(self) -> str:
        return "streamflow." + self.file.removesuffix(".py").replace("/", ".")

    def source(self) -> str:
        """The file with the bug in it. Raises `ValueError` where the place is not there, or not the only one."""
        text = self.path.read_text(encoding="utf-8")
        found = text.count(self.before)
        if found != 1:
            raise ValueError(
                f"Expected the place of the mutant {self.name!r} once in {self.file}, found it {found} times: "
                "the code has changed, so change the mutant"
            )
        return text.replace(self.before, self.after)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self._source = mutant.source()

    def get_code(self, fullname: str) -> object:  # type: ignore[override]  # never from a cached file
        return compile(self._source, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        return importlib.util.spec_from_file_location(
            fullname, self._mutant.path, loader=_Loader(self._mutant)
        )


def plant(mutant: Mutant) -> None:
    """From now on whoever imports the file gets the bug."""
    if mutant.module in sys.modules:
        raise RuntimeError(f"Expected {mutant.module} not to be imported yet, found that it is")
    sys.meta_path.insert(0, _Finder(mutant))
