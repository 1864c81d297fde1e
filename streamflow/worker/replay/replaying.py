"""One history stepped through by the code of today. Everything here happens on one thread, the caller's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

from streamflow.converter import DataConverter
from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.replay import replay
from streamflow.model.events import History, WorkflowStarted
from streamflow.processor.payloads.codec import PayloadGate
from streamflow.wire.events import encode_event
from streamflow.worker.interceptor import Interceptor
from streamflow.worker.running.interception import workflow_intercept


class UnknownWorkflow(ValueError, RuntimeError):
    """A history is of a workflow type whose code was not given."""


def replay_history(
    history: History,
    definitions: Mapping[str, WorkflowDefinition],
    converter: DataConverter,
    *,
    namespace: str,
    interceptors: Sequence[Interceptor] = (),
    guarded: bool = True,
    header_codec: bool = False,
) -> bool:
    """Whether the code has ended, too, when the history has been stepped through.

    Raises:
        ValueError: the history has no beginning, or its workflow type is none of those given.
        NondeterminismError: the code does not do what the history says.
        CodeFailed: the code raised what is no failure.
    """
    started = started_of(history)
    definition = definition_for(started, definitions)
    gate = PayloadGate(converter, header_codec=header_codec)
    try:
        facts = RunFacts(
            namespace=namespace,
            queue=started.queue,
            workflow_id=history.workflow_id,
            run_id=history.run_id,
            started=gate.started(namespace, history.workflow_id, history.run_id, started),
            start_ms=history.events[0].time_ms,
        )
        intercept = workflow_intercept(interceptors)
        instance = Instance(definition, facts, converter, guarded=guarded, intercept=intercept)
        events = gate.history(instance, [*history.events])
    finally:
        gate.close()
    try:
        replay(instance, events, history_bytes=[0, *accumulate(_sizes(history))])
        return instance.done
    finally:
        instance.evict()


def started_of(history: History) -> WorkflowStarted:
    """The first event. Raises ValueError unless it is a start."""
    first = history.events[0].event if history.events else None
    if not isinstance(first, WorkflowStarted):
        raise ValueError(
            f"Expected the history of workflow {history.workflow_id!r} to begin with its start, found {first}"
        )
    return first


def definition_for(
    started: WorkflowStarted, definitions: Mapping[str, WorkflowDefinition]
) -> WorkflowDefinition:
    """The definition of its type, else the dynamic one. Raises ValueError when there is neither."""
    definition = definitions.get(started.workflow_type) or definitions.get("")
    if definition is None:
        known = ", ".join(sorted(definitions)) or "none"
        raise UnknownWorkflow(
            f"Workflow class {started.workflow_type} is not registered: expected it among the workflows given, found {known}"
        )
    return definition


def _sizes(history: History) -> list[int]:
    return [
        len(encode_event(history.workflow_id, history.run_id, r.seq, r.step, r.time_ms, r.event))
        for r in history.events
    ]
