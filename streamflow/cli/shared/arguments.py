"""Arguments and options that several commands share. Values are JSON."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared import completers
from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.exits import CommandError, ExitCode

HERE = Connection()

WorkflowID = Annotated[str, Parameter(help="The workflow's ID.", completer=completers.workflow_ids)]
WorkflowType = Annotated[
    str,
    Parameter(help="The name of the workflow's type.", completer=completers.workflow_types),
]
Input = Annotated[
    list[str] | None,
    Parameter(
        name=["--input", "-i"],
        allow_leading_hyphen=True,
        negative=(),
        help="An argument as JSON; again for the next one. `@FILE` reads it from a file, `@-` from stdin.",
    ),
]
Queue = Annotated[
    str | None,
    Parameter(
        name=["--queue", "-q"],
        help="Its task queue; found by the ID when left out.",
        completer=completers.queues,
    ),
]
Run = Annotated[
    str | None, Parameter(name=["--run-id", "-r"], help="One run; the latest when left out.")
]
Seconds = Annotated[float | None, Parameter(help="How long to wait for the answer, in seconds.")]


@Parameter(name="*")
@dataclass(frozen=True)
class Target:
    """Which run of a workflow is meant, and how long to wait for it."""

    queue: Queue = None
    run_id: Run = None
    timeout: Seconds = None

    @property
    def patience(self) -> timedelta | None:
        return duration(self.timeout)


LATEST = Target()


def parse_inputs(texts: list[str] | None) -> list[Any]:
    """Arguments from JSON texts and files. Raises `CommandError` for what is no JSON."""
    return [_parse_input(text) for text in texts or []]


def _parse_input(text: str) -> Any:
    source = "the given text"
    if text.startswith("@"):
        source = text[1:]
        try:
            text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(
                f"Expected to read {source}, found: {error}", ExitCode.USAGE
            ) from error
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise CommandError(
            f"Expected JSON in {source}, found {text[:60]!r} ({error}); text needs its quotes: --input '\"text\"'",
            ExitCode.USAGE,
        ) from error


def duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
