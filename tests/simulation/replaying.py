"""Every run's history, replayed from nothing by the newest code: it asks for what was recorded, and nothing else."""

from __future__ import annotations

from typing import Final

from streamflow.config import DEFAULT_NAMESPACE
from streamflow.coroutine.definition import definition_of
from streamflow.coroutine.errors import CodeFailed, NondeterminismError
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.replay import replay
from streamflow.model.events import WorkflowStarted
from streamflow.model.ids import RunId, WorkflowId
from tests.simulation.histories import Histories, RunHistory
from tests.simulation.processes import QUEUE
from tests.simulation.programs import VERSION_2
from tests.simulation.scene import World

_DEFINITIONS: Final = {definition.name: definition for definition in map(definition_of, VERSION_2)}


def faults(_world: World, histories: Histories) -> list[str]:
    return [wrong for run in histories.runs.values() if (wrong := _fault(run)) is not None]


def _fault(run: RunHistory) -> str | None:
    started = run.events[0].event
    assert isinstance(started, WorkflowStarted), run
    facts = RunFacts(
        namespace=DEFAULT_NAMESPACE,
        queue=QUEUE,
        workflow_id=WorkflowId(run.workflow_id),
        run_id=RunId(run.run_id),
        started=started,
        start_ms=run.events[0].time_ms,
    )
    instance = Instance(_DEFINITIONS[started.workflow_type], facts)
    try:
        replay(instance, run.events)
    except (CodeFailed, NondeterminismError) as error:
        return f"{run.workflow_id}/{run.run_id[:8]} does not replay: {error}"
    finally:
        instance.evict()
    return None
