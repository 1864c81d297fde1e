"""Replays what a test has run: every run of a workflow, from nothing, with the code that it ran on."""

from __future__ import annotations

from collections.abc import Sequence

from streamflow.client import WorkflowHistory
from streamflow.converter import DataConverter
from streamflow.coroutine.definition import WorkflowDefinition, definition_of
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.replay import replay
from streamflow.model.events import WorkflowStarted
from streamflow.model.ids import RunId, WorkflowId


def replayed(history: WorkflowHistory, workflows: Sequence[type]) -> None:
    """Raises what keeps the code from doing again what the history says."""
    first = history.events[0]
    started = first.event
    assert isinstance(started, WorkflowStarted)
    definitions: dict[str, WorkflowDefinition] = {
        definition.name or "": definition for definition in map(definition_of, workflows)
    }
    instance = Instance(
        definitions[started.workflow_type],
        RunFacts(
            namespace="default",
            queue=started.queue,
            workflow_id=WorkflowId(history.workflow_id),
            run_id=RunId(history.run_id or ""),
            started=started,
            start_ms=first.time_ms,
        ),
        DataConverter.default,
    )
    try:
        replay(instance, history.events)
    finally:
        instance.evict()
