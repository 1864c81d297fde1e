"""Workflows that are sent more at once than a turn reads, whose processor is killed: what others overtook is not forgotten."""

from __future__ import annotations

import json
import time

import pytest

from streamflow.model.events import WorkflowCompleted
from streamflow.wire.entities import decode_position
from streamflow.wire.events import decode_event
from streamflow.wire.keys import EntityKind
from tests.faults.deployment import Deployment

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]

FLOODED = 2
SIGNALS = 9_000
KILLS = 4
BESIDE = 20
"""After so many signals stands the start of somebody who overtakes them."""
READ_AT_ONCE = 500


def test_each_signal_of_a_flood_is_heard_once_and_in_order_whoever_dies(
    deployment: Deployment,
) -> None:
    """Each owner reads again what the one before it had left, which is more than it reads at once."""
    names = [f"flooded-{number}" for number in range(FLOODED)]
    node = deployment.processor("p", "--module=tests.faults.code.flood")
    for name in names:
        deployment.outsider.start(name, "Flooded", SIGNALS)
        for number in range(SIGNALS):
            deployment.outsider.signal(name, "note", number)
            if number % BESIDE == 0:
                deployment.outsider.start(f"{name}-{number}", "Flooded", 0)
    deployment.outsider.flush()

    node.start()
    for kill in range(KILLS):
        _follow_until_much_is_held(deployment)
        deployment.kill_and_restart([node], forget=0.5 if kill else 0)
    deployment.history.follow_until_closed(FLOODED * (1 + SIGNALS // BESIDE), timeout_s=90)
    node.stop()

    heard = {
        entry.key.workflow_id: json.loads(event.result.data)
        for entry in deployment.read_anew()
        if entry.key.kind is EntityKind.EVENT and entry.value is not None
        for event in (decode_event(entry.value).event,)
        if entry.key.workflow_id in names
        and isinstance(event, WorkflowCompleted)
        and event.result is not None
    }
    assert heard == {name: list(range(SIGNALS)) for name in names}


def _follow_until_much_is_held(deployment: Deployment) -> None:
    """Until who takes over has to read more again than it does at once."""
    history, deadline = deployment.history, time.monotonic() + 60
    known = len(history.entries)
    while True:
        history.follow(0.02)
        for entry in history.entries[known:]:
            if entry.key.kind is EntityKind.POSITION and entry.value is not None:
                position = decode_position(entry.value)
                if len(position.held) > 2 * READ_AT_ONCE:
                    return
        assert time.monotonic() < deadline, "never was much held"
