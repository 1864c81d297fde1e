"""What goes wrong on purpose: seeded, and asked by the log wherever the world could fail.

A rate of 0 draws nothing, so switching one fault off does not shift when the others strike within a call. Bugs planted
into our own code are not here; they live in tests.
"""

from __future__ import annotations

import enum
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

_F = TypeVar("_F")

# Calls of the ports that may answer `Unavailable`: those that need a broker's answer and may simply be made again.
UNAVAILABLE_CALLS: Final = frozenset(
    {
        "topics",
        "describe_topics",
        "create_topics",
        "alter_topics",
        "live_members",
        "committed",
        "start_offset",
        "end_offset",
        "read",
        "transactor.open",
        "transactor.reopen",
        "transactor.fence",
        "objects.put",
        "objects.get",
        "objects.names",
        "objects.delete",
    }
)


class CommitFate(enum.Enum):
    """How a transaction ends, as the broker and its caller see it."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN_COMMITTED = "unknown, but it is committed"
    UNKNOWN_OPEN = "unknown, and it stays open until taken over or timed out"
    UNKNOWN_LATE = "unknown, and the commit arrives later unless the id is taken before"


class SendFate(enum.Enum):
    """How a record sent outside transactions ends."""

    APPENDED = "appended"
    TWICE = "appended twice, by a retry"
    REFUSED = "given up, and not appended"
    DOUBTFUL = "given up, but appended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often each fault strikes, from 0 (never, the default) to 1, each time it could."""

    aborted: float = 0
    unknown_committed: float = 0
    unknown_open: float = 0
    unknown_late: float = 0
    marker_late: float = 0
    delivery_late: float = 0
    reply_dropped: float = 0
    sent_twice: float = 0
    send_refused: float = 0
    send_doubtful: float = 0
    unavailable: float = 0
    rebalance: float = 0
    session_lost: float = 0


class Faults:
    """Decides, from a seed, what goes wrong."""

    def __init__(
        self,
        seed: int = 0,
        rates: Rates | None = None,
        *,
        delay_ms_max: int = 200,
        commit_late_ms_max: int = 5_000,
        unavailable_calls: frozenset[str] = UNAVAILABLE_CALLS,
        reply_topics: Callable[[str], bool] = lambda topic: topic.endswith(".replies"),
    ) -> None:
        self.rates = rates or Rates()
        self._random = random.Random(seed)
        self._delay_ms_max = delay_ms_max
        self._commit_late_ms_max = commit_late_ms_max
        self._unavailable_calls = unavailable_calls
        self._reply_topics = reply_topics
        self._crash_at: dict[str, int] = {}
        self.struck = 0
        """How many faults there were."""

    def calm(self) -> None:
        """Nothing goes wrong any more: what is under way can come to its end."""
        self.rates = Rates()
        self._crash_at.clear()

    def crash_at(self, process: str, call: int) -> None:
        """The process of this name dies at its port call number ``call`` (from 1), before the call has effect."""
        self._crash_at[process] = call

    def crashes(self, process: str, call: int) -> bool:
        if self._crash_at.get(process) != call:
            return False
        del self._crash_at[process]  # its restart lives
        self.struck += 1
        return True

    def unavailable(self, call: str) -> bool:
        return call in self._unavailable_calls and self._strikes(self.rates.unavailable)

    def commit_fate(self) -> CommitFate:
        rates = self.rates
        return self._first(
            (rates.aborted, CommitFate.ABORTED),
            (rates.unknown_committed, CommitFate.UNKNOWN_COMMITTED),
            (rates.unknown_open, CommitFate.UNKNOWN_OPEN),
            (rates.unknown_late, CommitFate.UNKNOWN_LATE),
            otherwise=CommitFate.COMMITTED,
        )

    def commit_late_ms(self) -> int:
        return self._random.randint(1, self._commit_late_ms_max)

    def send_fate(self) -> SendFate:
        rates = self.rates
        return self._first(
            (rates.sent_twice, SendFate.TWICE),
            (rates.send_refused, SendFate.REFUSED),
            (rates.send_doubtful, SendFate.DOUBTFUL),
            otherwise=SendFate.APPENDED,
        )

    def marker_delay_ms(self) -> int:
        return self._delay_ms(self.rates.marker_late)

    def delivery_delay_ms(self) -> int:
        return self._delay_ms(self.rates.delivery_late)

    def drops_reply(self, topic: str) -> bool:
        return self._reply_topics(topic) and self._strikes(self.rates.reply_dropped)

    def rebalances(self) -> bool:
        return self._strikes(self.rates.rebalance)

    def loses_session(self) -> bool:
        return self._strikes(self.rates.session_lost)

    def _delay_ms(self, rate: float) -> int:
        return self._random.randint(1, self._delay_ms_max) if self._strikes(rate) else 0

    def _strikes(self, rate: float) -> bool:
        strikes = rate > 0 and self._random.random() < rate
        self.struck += strikes
        return strikes

    def _first(self, *fates: tuple[float, _F], otherwise: _F) -> _F:
        return next((fate for rate, fate in fates if self._strikes(rate)), otherwise)
