"""When a broker that was started can be used: its listener opens seconds before its coordinators have loaded."""

from __future__ import annotations

import functools
import itertools
import logging
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from types import MappingProxyType
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient

# What librdkafka says of a broker that is still starting.
_discarded = logging.Logger("streamflow.testing.kafka", level=logging.CRITICAL + 1)


_LIBRARY_TIMEOUT_S: Final = 3_600.0
"""The most that the library takes."""


def stages(
    bootstrap: str,
    own_cluster_id: Callable[[], str],
    *,
    transaction_partitions: int,
    offsets_partitions: int,
    client_settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Callable[[], bool]]:
    """What to wait for, in turn: coordinators load seconds after the listener, each partition of theirs by itself."""
    yield lambda: _accepts_connections(bootstrap)
    producers = [
        Producer(
            {
                **client_settings,
                "bootstrap.servers": bootstrap,
                "transactional.id": name,
                "retry.backoff.ms": 10,
                "logger": _discarded,
            }
        )
        for name in _one_of_each(transaction_partitions)
    ]
    # Another broker may sit on our port while ours is about to fail for that.
    yield lambda: _cluster_id(producers[0]) == own_cluster_id()
    for producer in producers:
        yield functools.partial(_can_begin_transactions, producer)
    asking = {**client_settings, "bootstrap.servers": bootstrap, "logger": _discarded}
    yield _Coordinators(asking, _one_of_each(offsets_partitions)).answer


def _accepts_connections(bootstrap: str) -> bool:
    host, port = bootstrap.rsplit(":", 1)
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def _cluster_id(producer: Producer) -> str | None:
    try:
        return producer.cluster_id(timeout=1.0)
    except KafkaException:
        return None


def _one_of_each(partitions: int) -> list[str]:
    """Names that a coordinator's topic of so many partitions places on each of them, as Java hashes text."""
    found: dict[int, str] = {}
    for number in itertools.count():
        name, code = f"streamflow-broker-is-ready-{number}", 0
        for letter in name:
            code = (31 * code + ord(letter)) & 0xFFFFFFFF
        found.setdefault((code & 0x7FFFFFFF) % partitions, name)
        if len(found) == partitions:
            break
    return list(found.values())


class _Coordinators:
    """Whether each of these groups is answered for, if only that there is no such group.

    A question that times out before its coordinator is there would end this process by an assertion of the library
    (confluentinc/librdkafka#4605), so each is given all the time that there is, and looked after between other things.
    """

    def __init__(self, settings: dict[str, Any], groups: list[str]) -> None:
        self._admin: Any = AdminClient(settings)
        self._left = groups
        self._asked: dict[str, Future[Any]] = {}

    def answer(self) -> bool:
        self._admin.poll(0)
        self._left = [group for group in self._left if not self._has_answered(group)]
        return not self._left

    def _has_answered(self, group: str) -> bool:
        answer = self._asked.get(group)
        if answer is None:
            answers = self._admin.describe_consumer_groups(
                [group], request_timeout=_LIBRARY_TIMEOUT_S
            )
            self._asked[group] = answers[group]
            return False
        if not answer.done():
            return False
        del self._asked[group]
        try:
            answer.result()
        except KafkaException as error:
            code: int = error.args[0].code()
            return code == KafkaError.GROUP_ID_NOT_FOUND
        return True


def _can_begin_transactions(producer: Producer) -> bool:
    try:
        producer.init_transactions(2.0)
    except KafkaException:
        return False
    return True
