"""What a run of a list is doing, in a word: the names of the chips above the list."""

from __future__ import annotations

from streamflow.model.answers import ExecutionSummary
from streamflow.model.control import PAUSED
from streamflow.model.options import Status


def state_of(run: ExecutionSummary) -> str:
    """What the run is doing, by the name of its chip."""
    if run.status is not Status.RUNNING:
        return run.status.name.lower()
    if run.trouble:
        return "paused" if run.trouble.startswith(PAUSED) else "stuck"
    return "retrying" if run.max_attempt > 1 else "running"
