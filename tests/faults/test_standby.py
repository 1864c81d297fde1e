"""A process that stands by takes partitions over with their last records, from whoever is killed."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from streamflow import topology, wiring
from streamflow.ports import Log
from tests.faults.conftest import ORDERS
from tests.faults.deployment import PARTITIONS, QUEUE, Deployment, Node

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(240)]


def test_partitions_go_where_their_state_is(deployment: Deployment) -> None:
    """Of three processors one is killed, and the group gives each of its partitions to the one that followed it."""
    nodes = [deployment.processor(name, "--standby=1") for name in ("a", "b", "c")]
    for node in nodes:
        node.start()
    deployment.worker("w").start()
    log = wiring.open_log(deployment.bootstrap)
    placed = deployment.order(ORDERS // 4)
    deployment.drive(placed, which=0)
    before = _settled(log, deployment, nodes)
    victim = nodes[0]
    heirs = {
        number: node.name
        for node in nodes
        for number in following(node)
        if before[number] == victim.name
    }
    assert len(heirs) == Counter(before.values())[victim.name] > 0

    victim.kill()
    deployment.drive(placed, which=1)
    while len(after := _owners(log, deployment)) < PARTITIONS or victim.name in after.values():
        deployment.history.follow(0.2)

    log.close()
    assert {number: after[number] for number in heirs} == heirs
    deployment.finish()


def _settled(log: Log, deployment: Deployment, nodes: list[Node]) -> dict[int, str]:
    """Who owns what, once everybody owns something and each partition is followed by one other."""
    while True:
        deployment.history.follow(0.5)
        owners = _owners(log, deployment)
        counts = Counter(owners.values())
        followed = Counter(number for node in nodes for number in following(node))
        balanced = len(owners) == PARTITIONS and sorted(counts.values()) == [1, 1, 2]
        if balanced and followed == Counter(range(PARTITIONS)):
            return owners


def _owners(log: Log, deployment: Deployment) -> dict[int, str]:
    group = topology.processor_group(deployment.namespace, QUEUE)
    return {partition.partition: owner for partition, owner in log.owners(group).items()}


def following(node: Node) -> set[int]:
    """The partitions that it follows now, as its log says."""
    changes: Counter[int] = Counter()
    for line in node.said().splitlines():
        for event, change in (("standby_begun", 1), ("standby_ended", -1)):
            if f'"{event}"' in line:
                changes[json.loads(line)["partition"]] += change
    return set(+changes)
