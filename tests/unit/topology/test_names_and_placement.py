"""Names never collide, and a workflow lives where Java's clients would put it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow import topology
from streamflow.topology.placement import murmur2

queues = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80)


@given(queues, queues)
def test_two_queues_never_share_a_name(one: str, other: str) -> None:
    """The encoding is injective."""
    assert (topology.encode_queue(one) == topology.encode_queue(other)) == (one == other)


@given(queues)
def test_every_queue_makes_legal_names(queue: str) -> None:
    """Kafka takes them, and a dot only separates."""
    encoded = topology.encode_queue(queue)

    assert re.fullmatch(r"[A-Za-z0-9_-]{1,120}", encoded)
    assert len(topology.activities_topic("n" * 63, queue)) <= 249


def test_names_are_as_documented() -> None:
    """Outsiders build them by the rule of docs/topics.md."""
    assert topology.inbox_topic("default", "orders") == "default.orders.inbox"
    assert topology.history_topic("eu-1", "my orders") == "eu-1.my_20orders.history"
    assert (
        topology.activities_topic("default", "a_b.c/é") == "default.a_5Fb_2Ec_2F_C3_A9.activities"
    )
    assert topology.processor_group("default", "orders") == "default.orders.processor"
    assert topology.activity_group("default", "orders") == "default.orders.workers"
    assert topology.queues_topic("default") == "default.queues"
    assert topology.executions_topic("default") == "default.executions"
    assert topology.replies_topic("default") == "default.replies"
    assert topology.dead_letters_topic("default") == "default.dead-letters"


def test_a_long_name_ends_in_a_hash() -> None:
    """Two that differ only at their ends stay different."""
    one, other = (topology.encode_queue("x" * 200 + end) for end in "ab")

    assert one != other
    assert len(one) == len(other) == 120
    assert "__" in one


@pytest.mark.parametrize("namespace", ["", "Default", "a.b", "a_b", "é", "n" * 64])
def test_other_namespaces_are_refused(namespace: str) -> None:
    """A namespace is [a-z0-9-]+."""
    with pytest.raises(ValueError, match="Expected a namespace"):
        topology.check_namespace(namespace)


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        ("21", -973932308),
        ("foobar", -790332482),
        ("a-little-bit-long-string", -985981536),
        ("a-little-bit-longer-string", -1486304829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        ("abc", 479470107),
    ],
)
def test_the_hash_is_that_of_java_clients(key: str, hashed: int) -> None:
    """Vectors of Kafka's own tests."""
    assert murmur2(key.encode()) == hashed


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.integers(1, 1_000))
def test_every_workflow_has_a_partition(workflow_id: str, partitions: int) -> None:
    """Within the count, and always the same."""
    place = topology.partition_for(workflow_id, partitions)

    assert 0 <= place < partitions
    assert place == topology.partition_of_key(workflow_id.encode(), partitions)
    assert place == (murmur2(workflow_id.encode()) & 0x7FFFFFFF) % partitions
