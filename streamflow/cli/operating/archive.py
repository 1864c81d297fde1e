"""``streamflow archive``: runs that were archived at the end of their retention, for reading and for `streamflow replay`."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from streamflow.cli.shared.arguments import WorkflowID
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, show_list

if TYPE_CHECKING:
    from streamflow.ports import Objects
    from streamflow.wire.archive import ArchivedRun

ENVIRONMENT = "STREAMFLOW_ARCHIVE"

Place = Annotated[
    str | None,
    Parameter(
        name="--archive",
        help="The archive, as workers were told: a folder, or s3://BUCKET/PREFIX. Default: STREAMFLOW_ARCHIVE.",
    ),
]
Namespace = Annotated[str, Parameter(name=["--namespace", "-n"])]


def list_(
    workflow_id: WorkflowID,
    /,
    *,
    archive: Place = None,
    namespace: Namespace = "default",
    output: Form = "table",
) -> int:
    """Lists the archived runs of a workflow, the latest first."""
    _, runs = _runs(archive, namespace, workflow_id)
    rows = [{"run_id": run.run_id, "closed": _time(run.closed_ms)} for run in runs]
    show_list(f"Archived runs of {workflow_id}", rows, output, none="No run is archived.")
    return ExitCode.OK


def get(
    workflow_id: WorkflowID,
    /,
    *,
    run_id: Annotated[str | None, Parameter(help="Default: the latest archived run.")] = None,
    file: Annotated[
        Path | None,
        Parameter(name=["--file", "-f"], help="Write it there, for `streamflow replay`."),
    ] = None,
    archive: Place = None,
    namespace: Namespace = "default",
) -> int:
    """Prints the history of an archived run as JSON, or saves it."""
    from streamflow.ports import ObjectsUnavailable

    objects, runs = _runs(archive, namespace, workflow_id)
    chosen = [run for run in runs if run_id in (None, run.run_id)]
    if not chosen:
        wanted = f"run {run_id} of {workflow_id}" if run_id else f"a run of {workflow_id}"
        raise CommandError(f"Expected {wanted} in the archive, found none", ExitCode.NOT_FOUND)
    try:
        data = objects.get(chosen[0].name)
    except ObjectsUnavailable as error:
        raise CommandError(str(error), ExitCode.UNREACHABLE) from error
    if data is None:
        raise CommandError(
            f"Expected {chosen[0].name}, found that it was just removed", ExitCode.NOT_FOUND
        )
    if file is None:
        print(data.decode())
    else:
        file.write_bytes(data)
        print(f"Run {chosen[0].run_id} written to {file}", file=sys.stderr)
    return ExitCode.OK


def _runs(
    archive: str | None, namespace: str, workflow_id: str
) -> tuple[Objects, list[ArchivedRun]]:
    from streamflow import wiring
    from streamflow.ports import ObjectsUnavailable
    from streamflow.wire.archive import archive_prefix, parse_archive_name

    target = archive or os.environ.get(ENVIRONMENT)
    if not target:
        raise CommandError(
            f"Expected an archive: give --archive, or set {ENVIRONMENT}", ExitCode.USAGE
        )
    try:
        objects = wiring.open_objects(target)
        names = objects.names(archive_prefix(namespace, workflow_id))
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    except ObjectsUnavailable as error:
        raise CommandError(str(error), ExitCode.UNREACHABLE) from error
    found = [run for name in names if (run := parse_archive_name(name)) is not None]
    return objects, found[::-1]


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
