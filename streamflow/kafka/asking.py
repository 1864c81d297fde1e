"""The admin client: what it is asked, and what its errors mean for us. Used from any thread."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Final, TypeVar

from confluent_kafka import KafkaError, KafkaException, admin

from streamflow.kafka.errors import Needed, error_of, reading_error
from streamflow.kafka.options import KafkaOptions
from streamflow.kafka.watch import ClientWatch
from streamflow.ports import LogError, Unavailable

_T = TypeVar("_T")

# The library types its admin side only in part; what is `Any` here stays in this file and in those that ask.
_ADMIN: Final[Any] = admin

_ELECTED_SINCE: Final = frozenset(
    {
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError._NOENT,
    }
)


class ElectionMissed(Unavailable):
    """A partition has another leader, or another epoch of the same one, than this client knows of."""


class Asking:
    """One admin client, exchanged for another when it seems to be cut off."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._watch = ClientWatch("admin")
        self.client: Any = self._connect()

    def _connect(self) -> Any:
        return _ADMIN.AdminClient({**self._options.admin(), **self._watch.settings()})

    def ask(self, what: str, call: Callable[..., _T], *args: Any, **kwargs: Any) -> _T:
        """The call's own answer. Raises `LogError` for what could not even be asked."""
        self.client.poll(0)
        began_s = time.monotonic()
        try:
            return call(*args, **kwargs)
        except KafkaException as error:
            self.client.poll(0)
            found = self._watch.refused_since(began_s) or error_of(error)
            raise reading_error(found, f"Expected {what} from {self._options.bootstrap}") from error

    def settled(
        self,
        answer: Future[Any],
        what: str,
        needs: Needed,
        *,
        timeout_s: float,
        accept: Sequence[int] = (),
    ) -> Any:
        """What the cluster answered; ``None`` for an error that is accepted. ``needs`` is the grant that it takes."""
        try:
            return answer.result(timeout_s)
        except KafkaException as error:
            found = error_of(error)
            if found.code() in accept:
                return None
            if found.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise LogError(f"Expected {what}, found no such topic or partition.") from error
            if found.code() in _ELECTED_SINCE:
                raise ElectionMissed(
                    f"Expected {what}, found that a leader was elected since: {found.str()}. Try again."
                ) from error
            if found.code() == KafkaError._TIMED_OUT:
                self._begin_anew()
            raise reading_error(found, f"Expected {what}", needs=[needs]) from error

    def _begin_anew(self) -> None:
        """With another client: the old one's connections may be dead without knowing it."""
        try:
            self.client.list_topics(timeout=1.0)
        except KafkaException:
            return  # The outage goes on.
        # Destroyed with a question under way, a client ends the process by an assertion of the library.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self.client))
        self.client = self._connect()
