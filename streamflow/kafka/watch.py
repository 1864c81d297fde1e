"""Hears what a client says in its log and error events, counts what matters, and passes the rest to our log.

librdkafka retries a request on a new connection without telling the caller. For the request that ends a transaction
that is a hazard: the first copy may still arrive and decide a later transaction. The only trace is in the log.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException

from streamflow.kafka.errors import FENCED, UNAUTHORIZED, error_of
from streamflow.observability import get_logger

_log = get_logger("kafka")

_WARNING: Final = 30
# A user's options go to every client, so each is told of options that are not for its kind.
_NOISE: Final = frozenset({"CONFWARN"})
SAID_AGAIN_AFTER_S: Final = 10.0
"""A client whose brokers are away says the same some twenty times a second."""
_WORDS_MAX: Final = 100

ENDED: Final = (KafkaException, SystemError)
"""What calls of a producer raise that has come to its end: the second where one more callback is made while the exception is on
its way, which wraps it, or loses it."""

REFUSING: Final = frozenset({KafkaError._AUTHENTICATION, KafkaError._SSL})


@dataclass(slots=True)
class _Said:
    at: float
    passed_over: int = 0


class ClientWatch:
    """`logger` and `error_cb` of one client. Called from inside the client's own calls, on their thread."""

    def __init__(self, role: str) -> None:
        self.troubles = 0
        self.troubled_at: float | None = None
        """When the last of them was heard, on the monotonic clock."""
        self.fatal: KafkaError | None = None
        self.fatal_said: KafkaError | None = None
        """That it was fenced, or ended for the lack of a grant, from its log: an exception that says so gets lost where a
        delivery is called back while it is on its way."""
        self._refused: tuple[float, KafkaError] | None = None
        self._said: dict[tuple[str, str], _Said] = {}
        self._log = _log.bind(client=role)

    def settings(self) -> dict[str, Any]:
        return {"logger": self, "error_cb": self.on_error}

    def log(self, level: int, _template: str, facility: str, _client: str, text: str) -> None:
        """The one method of a standard logger that the client library calls."""
        if _endangers_requests(facility, text):
            self.troubles += 1
            self.troubled_at = time.monotonic()
        if facility == "FATAL":
            self.fatal_said = self.fatal_said or _reason_in(text)
        if facility in _NOISE:
            return
        repeated = self._repeated(facility, text)
        if repeated is None:
            return
        say = self._log.warning if level >= _WARNING else self._log.debug
        counts = {"repeated": repeated} if repeated else {}
        say("kafka_client_said", facility=facility, text=text, **counts)

    def _repeated(self, facility: str, text: str) -> int | None:
        """How often this was passed over since it was last said; ``None`` when it is to be passed over now."""
        now = time.monotonic()
        words = facility, text.partition(" (after ")[0]
        said = self._said.get(words)
        if said is not None and now - said.at < SAID_AGAIN_AFTER_S:
            said.passed_over += 1
            return None
        if len(self._said) >= _WORDS_MAX:
            self._said.clear()
        self._said[words] = _Said(now)
        return 0 if said is None else said.passed_over

    def on_error(self, error: KafkaError) -> None:
        if error.fatal() or error.code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID):
            self.fatal = self.fatal or error
        if error.code() in REFUSING:
            self._refused = time.monotonic(), error
        self._log.debug("kafka_client_error", error=error.name(), text=error.str())

    def reason_of(self, raised: BaseException) -> KafkaError:
        """What this client ended by, of which a call raised one of `ENDED`."""
        cause = raised if isinstance(raised, KafkaException) else raised.__cause__
        if isinstance(cause, KafkaException):
            return error_of(cause)
        return self.fatal_said or self.fatal or KafkaError(KafkaError._FATAL, str(raised))

    def refused_since(self, monotonic_s: float) -> KafkaError | None:
        """Why a broker did not let us in since then: calls that failed for that only say that no broker was there."""
        if self._refused is None or self._refused[0] < monotonic_s:
            return None
        return self._refused[1]


def _reason_in(text: str) -> KafkaError | None:
    codes = (code for code in sorted(FENCED | UNAUTHORIZED) if KafkaError(code).str() in text)
    code = next(codes, None)
    return None if code is None else KafkaError(code, text, fatal=True)


def _endangers_requests(facility: str, text: str) -> bool:
    """Whether requests may have been on a connection that broke, or took too long.

    A connection that never came up carried none; counting those would make every commit doubtful for as long as any
    broker of the cluster is down.
    """
    if facility == "REQTMOUT":
        return True
    return facility == "FAIL" and "in state UP" in text
