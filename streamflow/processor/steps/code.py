"""The code of a run, as this processor has it."""

from __future__ import annotations

from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.engine.state import Run
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.host.versions import code_for


class Unregistered(Exception):
    """This processor has no code for the run's workflow type."""


def code_of(run: Run, around: Surroundings) -> WorkflowDefinition:
    """Raises `Unregistered`, or `PinnedElsewhere` for a run of another version."""
    workflow_type = run.start.workflow_type
    definitions = code_for(run, around.options.version, around.definitions, around.carried)
    found = definitions.get(workflow_type) or definitions.get("")
    if found is None:
        known = ", ".join(sorted(definitions)) or "none"
        raise Unregistered(
            f"Expected workflow type {workflow_type!r} to be registered on queue {around.options.queue!r}, "
            f"found: {known}. Deploy a processor that registers it; the run waits for that"
        )
    return found
