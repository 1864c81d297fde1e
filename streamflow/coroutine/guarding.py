"""How closely one workflow's code is guarded, and which modules answer for themselves."""

from __future__ import annotations

import builtins
import importlib.util
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import msgspec


class Guarding(msgspec.Struct, frozen=True, kw_only=True):
    """What the runner of a worker makes of its restrictions."""

    on: bool = True
    """False lets the code touch clocks, chance and I/O, and leaves its determinism to its authors."""
    passing: frozenset[str] = frozenset()
    """Modules, with all below them, that are not guarded."""
    passing_all: bool = False
    """Whether no module is guarded but those that define workflows."""
    allowed: frozenset[str] = frozenset()
    """Names, as ``module.member``, that are not refused."""
    warns: bool = False
    """Whether calls of ``asyncio.wait`` and ``asyncio.as_completed`` are warned of, as ported code may expect."""


GUARDED = Guarding()
UNGUARDED = Guarding(on=False)

_passing_imports = ContextVar("streamflow_passing_imports", default=False)
_passed: set[str] = set()
"""Modules that were imported inside of `passing_imports`."""
_workflow_modules: set[str] = set()
"""Modules that define workflows: guarded however they were imported."""


def defines_workflows(module: str) -> None:
    _workflow_modules.add(module)


def passes(module: str, guarding: Guarding) -> bool:
    """Whether this module's code answers for itself, in a run that is guarded like this."""
    names = [module]
    while dot := names[-1].rpartition(".")[0]:
        names.append(dot)
    if not guarding.passing.isdisjoint(names):
        return True
    if module in _workflow_modules:
        return False
    return guarding.passing_all or not _passed.isdisjoint(names)


def is_passing_imports() -> bool:
    return _passing_imports.get()


@contextmanager
def passing_imports() -> Generator[None]:
    """Whatever is imported inside is passed through: its code is not guarded."""
    if is_passing_imports():
        yield
        return
    original = builtins.__import__

    def noting(
        name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0
    ) -> Any:
        module = original(name, globals, locals, fromlist, level)
        if is_passing_imports():
            _note(name, globals, fromlist, level)
        return module

    token = _passing_imports.set(True)
    builtins.__import__ = noting
    try:
        yield
    finally:
        builtins.__import__ = original
        _passing_imports.reset(token)


def _note(name: str, globals: Any, fromlist: Any, level: int) -> None:
    if level:
        package = str(globals.get("__package__") or "") if globals else ""
        name = importlib.util.resolve_name("." * level + name, package) if package else name
    parts = [f"{name}.{part}" for part in fromlist or ()]
    modules = [part for part in parts if part in sys.modules]
    # ``from package import module`` passes that module through, not all of its package.
    _passed.update(modules if modules and len(modules) == len(parts) else [*modules, name])
