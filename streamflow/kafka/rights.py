"""Which topics take nothing of this client for lack of a grant: found out when one was refused, and believed for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from confluent_kafka import KafkaException, TopicCollection, admin

from streamflow.kafka.asking import Asking
from streamflow.ports import LogError

WITHHELD_S: Final = 30.0
"""How long what can wait is not sent to a topic that took nothing."""
_TIMEOUT_S: Final = 5.0

# The library types its admin side only in part; what is `Any` here stays in this file.
_ADMIN: Final[Any] = admin


class Rights:
    """Of one connection's client; asked from any thread."""

    def __init__(self, asking: Asking) -> None:
        self._asking = asking
        self._until_s: dict[str, float] = {}
        """When each topic is tried again, on the monotonic clock. Replaced, never changed."""

    def withheld(self) -> frozenset[str]:
        """Topics that took nothing a while ago."""
        if not self._until_s:
            return frozenset()
        now_s = time.monotonic()
        return frozenset(topic for topic, until_s in self._until_s.items() if now_s < until_s)

    def withhold(self, topics: Iterable[str]) -> None:
        """These took nothing just now."""
        held = self.withheld()
        kept = {topic: until_s for topic, until_s in self._until_s.items() if topic in held}
        self._until_s = kept | dict.fromkeys(topics, time.monotonic() + WITHHELD_S)

    def unwritable(self, topics: Sequence[str]) -> list[str]:
        """Which of these topics this client has no Write on; all of them where the cluster does not say."""
        try:
            answers = self._asking.ask(
                "what this client may do with topics",
                self._asking.client.describe_topics,
                TopicCollection(list(topics)),
                include_authorized_operations=True,
                request_timeout=_TIMEOUT_S,
            )
        except LogError:
            return list(topics)
        found = [topic for topic in topics if not _is_writable(answers[topic])]
        return found or list(topics)


def _is_writable(answer: Any) -> bool:
    try:
        operations = answer.result(2 * _TIMEOUT_S).authorized_operations
    except (KafkaException, TimeoutError):
        return False
    return _ADMIN.AclOperation.WRITE in (operations or ())
