"""Settings of every client: what may be tuned, and what holds the guarantees and may not.

Options of librdkafka pass through untouched (TLS, SASL, OAuth, sizes). Each client's settings are built in three
layers: our defaults, then the user's options, then what exactly-once and ownership rest on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

Settings = dict[str, Any]

# A user's option of these names would break a promise without any error, so it is refused.
RESERVED: Final = frozenset(
    {
        "acks",
        "auto.offset.reset",
        "bootstrap.servers",
        "delivery.report.only.error",
        "dr_cb",
        "enable.auto.commit",
        "enable.auto.offset.store",
        "enable.idempotence",
        "enable.partition.eof",
        "error_cb",
        "group.id",
        "group.instance.id",
        "group.protocol",
        "isolation.level",
        "log.connection.close",
        "log_cb",
        "log_level",
        "logger",
        "metadata.broker.list",
        "on_delivery",
        "partition.assignment.strategy",
        "request.required.acks",
        "session.timeout.ms",
        "transaction.timeout.ms",
        "transactional.id",
    }
)

_WHAT_IS_LOGGED: Final = frozenset({"log.connection.close", "log_level"})

_SECRET_WORDS: Final = (
    "credential",
    "jaas",
    "oauthbearer.config",
    ".key.pem",
    "password",
    "secret",
    "token",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaOptions:
    """One cluster, and how this process talks to it."""

    bootstrap: str
    ring_size: int = 3
    """Transactional producers used in turn: the next transaction need not wait for the last one's markers."""
    transaction_timeout_ms: int = 10_000
    session_timeout_ms: int = 6_000
    topics_age_ms: int = 5_000
    """How old the picture of the cluster's topics may be before it is taken again."""
    delivery_timeout_ms: int = 30_000
    """When a plain producer gives a record up."""
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Options of librdkafka, for every client."""

    @classmethod
    def parse(cls, bootstrap: str, options: Mapping[str, Any]) -> Self:
        """Ours by name, all others librdkafka's.

        Raises:
            ValueError: An option is one that streamflow's guarantees rest on.
        """
        ours = {f.name for f in fields(cls)} - {"bootstrap", "extra"}
        extra = {name: value for name, value in options.items() if name not in ours}
        if reserved := sorted(RESERVED & extra.keys()):
            quieter = (
                " To hear less of clients, set the level of the logger streamflow.kafka."
                if _WHAT_IS_LOGGED & extra.keys()
                else ""
            )
            raise ValueError(
                f"Expected options that leave streamflow's guarantees alone, found {', '.join(reserved)}. "
                f"streamflow sets these itself: remove them.{quieter}"
            )
        return cls(
            bootstrap=bootstrap,
            extra=extra,
            **{name: value for name, value in options.items() if name in ours},
        )

    def __repr__(self) -> str:
        return f"KafkaOptions({self.bootstrap!r}, {redacted(self.extra)!r})"

    # -- clients --------------------------------------------------------------------------------------------------

    def admin(self) -> Settings:
        return self._settings({}, {})

    def transactional(self, transactional_id: str) -> Settings:
        timeout_ms = self.transaction_timeout_ms
        return self._settings(
            {
                **_PRODUCING,
                # The generic back-off of 100 ms is what makes small transactions slow: each one waits for markers.
                "retry.backoff.ms": 1,
                "retry.backoff.max.ms": 5,
                # A request that is not retried within the transaction cannot end a later one.
                "socket.timeout.ms": timeout_ms,
                # A client that starts over with the bootstrap servers may wait for ever for a coordinator of before
                # (confluentinc/librdkafka#5511). One that has lost its brokers is replaced by a new one anyway.
                "metadata.recovery.strategy": "none",
            },
            {
                **_BREAKS_ARE_LOGGED,
                "transactional.id": transactional_id,
                "transaction.timeout.ms": timeout_ms,
                # Only failures reach Python; the happy path has no call per record.
                "delivery.report.only.error": True,
            },
        )

    def producing(self) -> Settings:
        return self._settings(
            {**_PRODUCING, "message.timeout.ms": self.delivery_timeout_ms},
            {"enable.idempotence": True},
        )

    def member(self, group: str, instance: str) -> Settings:
        """A static member: killed and restarted within the session, it has its partitions back at once."""
        return self._settings(
            {
                **_CONSUMING,
                "fetch.wait.max.ms": 50,
                "heartbeat.interval.ms": max(1, self.session_timeout_ms // 12),
            },
            {
                **_COMMITTED_ONLY,
                **_BREAKS_ARE_LOGGED,
                "group.id": group,
                "group.instance.id": instance,
                "group.protocol": "classic",
                "partition.assignment.strategy": "cooperative-sticky",
                "session.timeout.ms": self.session_timeout_ms,
                # A position that is not there is never guessed.
                "auto.offset.reset": "error",
            },
        )

    def asking(self, group: str, *, stable: bool) -> Settings:
        """For questions about a group's offsets by one who never joins it."""
        isolation = "read_committed" if stable else "read_uncommitted"
        return self._settings(
            {"retry.backoff.ms": 5, "retry.backoff.max.ms": 100},
            {"group.id": group, "isolation.level": isolation, "enable.auto.commit": False},
        )

    def reading(self) -> Settings:
        """Reads single partitions at full speed, told when it is at the end."""
        return self._settings(
            {
                **_CONSUMING,
                "fetch.wait.max.ms": 20,
                "fetch.message.max.bytes": 8 << 20,
                "queued.min.messages": 200_000,
            },
            {
                **_COMMITTED_ONLY,
                "group.id": "streamflow-reader",
                "auto.offset.reset": "error",
                "enable.partition.eof": True,
            },
        )

    def tailing(self) -> Settings:
        # Where a tail goes on whose position is gone depends on where that was, which the library does not ask.
        return self._settings(
            {**_CONSUMING, "fetch.wait.max.ms": 100},
            {**_COMMITTED_ONLY, "group.id": "streamflow-tail", "auto.offset.reset": "error"},
        )

    def _settings(self, defaults: Settings, guarantees: Settings) -> Settings:
        return {
            "socket.nagle.disable": True,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1_000,
            # A connection that swallows everything is given up so soon: a member that waits on it for its group serves nobody.
            "socket.timeout.ms": REQUEST_TIMEOUT_MS,
            **defaults,
            **self.extra,
            **guarantees,
            "bootstrap.servers": self.bootstrap,
        }


REQUEST_TIMEOUT_MS: Final = 10_000

_PRODUCING: Final[Settings] = {
    "linger.ms": 0,
    "compression.type": "lz4",
    "message.max.bytes": 1 << 20,
    # Kept free of the topic's first use: an unknown topic is an error now, not in half a minute.
    "topic.metadata.propagation.max.ms": 2_000,
}

_CONSUMING: Final[Settings] = {
    # What a slow line brings within the time of a request: 7 Mbit/s.
    "fetch.max.bytes": 8 << 20,
    "fetch.queue.backoff.ms": 1,
    "retry.backoff.ms": 5,
    "retry.backoff.max.ms": 100,
}

_COMMITTED_ONLY: Final[Settings] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
}

# What `watch` judges by: of a connection that broke the library tells nowhere but in its log.
_BREAKS_ARE_LOGGED: Final[Settings] = {"log_level": 6, "log.connection.close": True}


def redacted(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with secrets and callables replaced, fit for logs and messages."""
    return {
        name: "***"
        if callable(value) or any(word in name.lower() for word in _SECRET_WORDS)
        else value
        for name, value in options.items()
    }
