"""Asks what a consumer group has committed, apart from any membership of it.

A member cannot be asked: one that missed the end of an outage answers a minute later, if at all. Nor can the admin
client, which goes on waiting for a coordinator from before the outage.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from confluent_kafka import Consumer, KafkaError, KafkaException

from streamflow.kafka.errors import UNAUTHORIZED, Needed, error_of, reading_error
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.records import from_client, to_client, to_committed
from streamflow.kafka.watch import ClientWatch
from streamflow.ports import Committed, LogError, TopicPartition

TIMEOUT_S: Final = 10.0
"""How long an answer, and a transaction that will change it, is waited for before the caller is told to ask again."""


class Positions:
    """Of one group. Belongs to one thread."""

    def __init__(self, options: KafkaOptions, group: str) -> None:
        self._options = options
        self._group = group
        self._needs = [Needed("Describe", "group", group)]
        self._clients: dict[bool, Any] = {}

    def warm_up(self) -> None:
        """Connects, in the background, for stable offsets, which every member asks for."""
        self._clients[True] = self._made(stable=True)

    def committed(
        self, partitions: Sequence[TopicPartition], *, stable: bool
    ) -> dict[TopicPartition, Committed | None]:
        """What was decided last, or (``stable``) only what no open transaction will change.

        Raises:
            Unavailable: there is no answer yet; ask again.
        """
        client = self._clients.get(stable)
        if client is None:
            client = self._clients[stable] = self._made(stable=stable)
        try:
            found = client.committed([to_client(p) for p in partitions], TIMEOUT_S)
            for partition in found:
                if partition.error is not None:
                    raise reading_error(partition.error, _expected(partitions), needs=self._needs)
        except KafkaException as error:
            reason = _reason(client, error_of(error))
            self._renew(stable)
            raise reading_error(reason, _expected(partitions), needs=self._needs) from error
        except LogError:
            self._renew(stable)
            raise
        return {from_client(p): to_committed(p) for p in found}

    def close(self) -> None:
        for stable in list(self._clients):
            self._renew(stable)

    def _made(self, *, stable: bool) -> Any:
        watch = ClientWatch(f"positions of {self._group}")
        settings = {**self._options.asking(self._group, stable=stable), **watch.settings()}
        return Consumer(settings)

    def _renew(self, stable: bool) -> None:
        self._clients.pop(stable).close()


def _reason(client: Any, error: KafkaError) -> KafkaError:
    """Who may not ask for the group's coordinator is not told so by the call, which only takes its time."""
    message = client.poll(0) if error.code() == KafkaError._TIMED_OUT else None
    found: KafkaError | None = None if message is None else message.error()
    return found if found is not None and found.code() in UNAUTHORIZED else error


def _expected(partitions: Sequence[TopicPartition]) -> str:
    named = ", ".join(f"{p.topic}/{p.partition}" for p in partitions)
    return f"Expected the committed offsets of {named}"
