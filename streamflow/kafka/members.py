"""Who is in a consumer group, asked of the group's coordinator.

librdkafka ends the process by an assertion (confluentinc/librdkafka#4605) where such a question has timed out before the
coordinator could be reached, and it is reached later; and where a client is destroyed with such a question under way. So the library
is given an hour, we wait for seconds, and a client whose question is still under way is never destroyed.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, admin

from streamflow.kafka.errors import Needed, error_of, reading_error
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.watch import ClientWatch
from streamflow.ports import Unavailable

WAIT_S: Final = 5.0
"""How long an answer is waited for before the caller is told to ask again."""
LIBRARY_TIMEOUT_S: Final = 3_600.0
"""The most that the library takes."""
_PROBE_S: Final = 1.0

# The library types its admin side only in part; what is `Any` here stays in this file.
_ADMIN: Final[Any] = admin


class Members:
    """Asks from any thread, by a client of its own."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._client: Any = None
        self._kept = False
        """Whether this client is never to be destroyed."""
        self._under_way: dict[str, Future[Any]] = {}

    def of(self, group: str) -> Sequence[Any]:
        """The library's descriptions of the members; none where there is no such group.

        Raises:
            Unavailable: there is no answer yet; ask again.
            LogError: this client may not know.
        """
        with self._lock:
            asking, answer = self._asked(group)
        what = f"Expected the members of group {group}"
        try:
            described = answer.result(WAIT_S)
        except TimeoutError:
            with self._lock:
                self._is_slow(asking)
            raise Unavailable(
                f"{what}, found no answer within {WAIT_S:.0f} s. Try again."
            ) from None
        except KafkaException as error:
            self._is_answered(group, answer)
            found = error_of(error)
            if found.code() == KafkaError.GROUP_ID_NOT_FOUND:
                return ()
            raise reading_error(found, what, needs=[Needed("Describe", "group", group)]) from error
        self._is_answered(group, answer)
        members: Sequence[Any] = described.members
        return members

    def _asked(self, group: str) -> tuple[Any, Future[Any]]:
        """The question that is under way, or a new one."""
        if self._client is None:
            watch = ClientWatch("group members")
            self._client = _ADMIN.AdminClient({**self._options.admin(), **watch.settings()})
        self._client.poll(0)
        answer = self._under_way.get(group)
        if answer is None:
            answers: dict[str, Future[Any]] = self._client.describe_consumer_groups(
                [group], request_timeout=LIBRARY_TIMEOUT_S
            )
            answer = self._under_way[group] = answers[group]
        return self._client, answer

    def _is_answered(self, group: str, answer: Future[Any]) -> None:
        with self._lock:
            if self._under_way.get(group) is answer:
                del self._under_way[group]

    def _is_slow(self, asking: Any) -> None:
        """Another client takes over when the outage is over: this one may go on waiting for a coordinator of before."""
        if asking is not self._client:
            return
        if not self._kept:
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(asking))
            self._kept = True
        try:
            asking.list_topics(timeout=_PROBE_S)
        except KafkaException:
            return
        self._client, self._kept, self._under_way = None, False, {}
