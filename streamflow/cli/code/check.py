"""``streamflow check``: looks at workflow code for what would not replay alike."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, print_data


def check(
    *targets: Annotated[
        str, Parameter(name="MODULE_OR_PATH", help="Files, folders, or modules by name.")
    ],
    output: Form = "table",
) -> int:
    """Finds clocks, chance, I/O and other traps in workflow code, without running it. See docs/check.md.

    Exits with 1 if there is something, and with 0 if there is nothing.
    """
    from streamflow.checking import Unreadable, check_paths

    if not targets:
        raise CommandError("Expected files, folders or modules, found nothing", ExitCode.USAGE)
    try:
        findings = check_paths([_path_of(target) for target in targets])
    except Unreadable as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    if output != "table":
        print_data([vars(finding) for finding in findings], output)
    else:
        for finding in findings:
            print(finding)
    return ExitCode.FAILED if findings else ExitCode.OK


def _path_of(target: str) -> Path:
    """A path as it is, else where the module's source lies; its parents are imported to find that, it itself is not."""
    path = Path(target)
    if path.exists() or path.suffix == ".py" or "/" in target:
        return path
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        spec = importlib.util.find_spec(target)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin in (None, "built-in", "frozen"):
        raise CommandError(
            f"Expected a file, a folder or a module, found none called {target!r}", ExitCode.USAGE
        )
    assert spec.origin is not None
    origin = Path(spec.origin)
    return origin.parent if spec.submodule_search_locations else origin
