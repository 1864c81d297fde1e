"""``MODULE:APP`` as the Apps it names."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import cast

from streamflow.app import App
from streamflow.cli.shared.exits import CommandError, ExitCode


def load_apps(targets: Sequence[str]) -> list[App]:
    """The Apps of ``MODULE:NAME`` targets; a name may stand for several. The current folder is importable.

    Raises:
        CommandError: a target is not of that form, or names nothing, or something that is no App. An error inside the
            user's module is raised as it is: its stack is what its author needs.
    """
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    return [app for target in targets for app in _load(target)]


def _load(target: str) -> list[App]:
    module_name, _, name = target.partition(":")
    if not module_name or not name:
        raise CommandError(
            f"Expected MODULE:APP, such as shop.orders:app, found {target!r}", ExitCode.USAGE
        )
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise  # the module is there, and one that it imports is missing
        raise CommandError(
            f"Expected a module {module_name!r} in {Path.cwd()} or installed, found none",
            ExitCode.USAGE,
        ) from error
    found = getattr(module, name, None)
    if found is None:
        known = sorted(key for key, value in vars(module).items() if isinstance(value, App))
        raise CommandError(
            f"Expected an App called {name!r} in {module_name}, found {', '.join(known) or 'none'}",
            ExitCode.USAGE,
        )
    apps: list[App] = []
    for app in _several(found):
        if not isinstance(app, App):
            raise CommandError(
                f"Expected {target} to be a streamflow App, found {type(app).__name__}",
                ExitCode.USAGE,
            )
        apps.append(app)
    return apps


def _several(found: object) -> Iterable[object]:
    if isinstance(found, Iterable) and not isinstance(found, str):
        return cast("Iterable[object]", found)
    return (found,)
