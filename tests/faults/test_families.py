"""Parents on one queue and children on another, whose processors are killed: nobody is started, told or heard twice."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from streamflow import topology, wiring
from streamflow.model.events import SignalReceived, WorkflowCompleted, WorkflowStarted
from streamflow.model.payload import Payload
from streamflow.model.relations import ChildClosed, ChildInitiated, ExternalAnswered
from streamflow.wire.events import decode_event
from streamflow.wire.keys import EntityKind
from tests.faults.code.family import CHILDREN, NURSERY
from tests.faults.deployment import QUEUE, Deployment
from tests.faults.raw import Topic, entry_of

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

FAMILIES = 60
KILLS = 12
MODULE = ("--module", "tests.faults.code.family")


def test_families_come_together_when_their_processors_are_killed(deployment: Deployment) -> None:
    """Each child is started once, each result and each signal is delivered once, whoever dies when."""
    log = wiring.open_log(deployment.bootstrap)
    topology.ensure_queue(
        log, deployment.namespace, NURSERY, kind="workflow", partitions=2, create=True
    )
    log.close()
    nodes = [
        deployment.processor("parents", *MODULE).start(),
        deployment.processor("children", *MODULE, "--queue", NURSERY).start(),
    ]
    for kill in range(KILLS):
        for number in range(FAMILIES * kill // KILLS, FAMILIES * (kill + 1) // KILLS):
            deployment.outsider.start(f"family-{number}", "Family", number)
        deployment.outsider.flush()
        deployment.history.follow(deployment.random.uniform(0, 1.2))
        victims = deployment.random.choice([nodes[:1], nodes[1:], nodes])
        deployment.kill_and_restart(victims, forget=0.3)

    deployment.history.follow_until_closed(FAMILIES, timeout_s=90)
    for node in nodes:
        node.stop()

    starts, asked, told, heard, answered = (Counter[tuple[str, int]]() for _ in range(5))
    results: dict[str, object] = {}
    for queue in (QUEUE, NURSERY):
        for workflow_id, run_id, event in _events(deployment, queue):
            match event:
                case WorkflowStarted(parent=parent) if parent is not None:
                    starts[parent.run_id, parent.op] += 1
                case ChildInitiated(op=op):
                    asked[run_id, op] += 1
                case ChildClosed(op=op):
                    told[run_id, op] += 1
                case SignalReceived(args=(child,)):
                    heard[workflow_id, json.loads(child.data)] += 1
                case ExternalAnswered(failure=failure):
                    assert failure is None, failure
                    answered[workflow_id, 0] += 1
                case WorkflowCompleted(result=result):
                    results[workflow_id] = _value(result)
                case _:
                    pass
    assert len(asked) == FAMILIES * CHILDREN
    assert asked == starts == told
    assert set(asked.values()) == {1}
    assert len(heard) == len(answered) == FAMILIES * CHILDREN
    assert set(heard.values()) == set(answered.values()) == {1}
    children = list(range(CHILDREN))
    for number in range(FAMILIES):
        expected = [number + child for child in children] + children
        assert results[f"family-{number}"] == expected


def _events(deployment: Deployment, queue: str) -> list[tuple[str, str, object]]:
    """(workflow, run, event) of everything in the queue's history."""
    name = topology.history_topic(deployment.namespace, queue)
    with Topic(deployment.bootstrap, name) as topic:
        entries = [entry_of(message) for message in topic.rest()]
    return [
        (entry.key.workflow_id, entry.key.run_id, decode_event(entry.value).event)
        for entry in entries
        if entry.key.kind is EntityKind.EVENT and entry.value is not None
    ]


def _value(payload: Payload | None) -> object:
    assert payload is not None
    return json.loads(payload.data)
