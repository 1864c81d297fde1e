"""Which topics take nothing of this client for lack of a grant: found out when one was refused, and believed for a while."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

from confluent_kafka import KafkaException, TopicCollection, admin

from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.watch import ClientWatch

WITHHELD_S: Final = 30.0
"""How long what can wait is not sent to a topic that took nothing."""
_TIMEOUT_S: Final = 5.0

# The library types its admin side only in part; what is `Any` here stays in this file.
_ADMIN: Final[Any] = admin


class Rights:
    """Of one connection's client; asked from any thread, by a client of its own that is made when it is first needed."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._client: Any = None
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
        if self._client is None:
            watch = ClientWatch("rights")
            self._client = _ADMIN.AdminClient({**self._options.admin(), **watch.settings()})
        try:
            answers = self._client.describe_topics(
                TopicCollection(list(topics)),
                include_authorized_operations=True,
                request_timeout=_TIMEOUT_S,
            )
        except KafkaException:
            return list(topics)
        found = [topic for topic in topics if not _is_writable(answers[topic])]
        return found or list(topics)


def _is_writable(answer: Any) -> bool:
    try:
        operations = answer.result(2 * _TIMEOUT_S).authorized_operations
    except (KafkaException, TimeoutError):
        return False
    return _ADMIN.AclOperation.WRITE in (operations or ())
