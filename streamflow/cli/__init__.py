"""The command line: ``streamflow dev``, ``worker``, ``workflow``, ``replay``, ``topology``, ``version``.

`commands` is the tree; each group is loaded when one of its commands is called. `exits` says what exit codes mean and
turns expected errors into one line; `output` prints tables and JSON; `address` finds out whom to speak to.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> None:
    """Runs a command and exits with its code (`exits.ExitCode`)."""
    from streamflow.cli.shared.exits import run

    sys.exit(run(sys.argv[1:] if argv is None else argv))
