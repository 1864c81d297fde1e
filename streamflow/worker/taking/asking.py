"""Questions of a worker to the owners of its tasks, until they are answered: is this task still wanted?

    redelivered or doubtful tasks --gather, one question per inbox partition--> asked --Confirmed--> handed over, or dropped
    announcements, heartbeats                                        asked --HeartbeatAck or refusal--> go on, or stop
    nothing for `ASK_AGAIN_MS` --> asked again, and after twice as long again: whichever answer comes first counts

Owned by the poll thread. Which answer means what for a task is the poller's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from streamflow.model.commands import ReplyTo
from streamflow.ports import LogError
from streamflow.worker.taking.delivery import Delivery, Stage
from streamflow.worker.taking.replies import Replies
from streamflow.worker.taking.sending import Sender

CONFIRMED_AT_ONCE_MAX = 200
"""Tasks asked about in one command."""
ASK_AGAIN_MS = 5_000
ASK_AGAIN_MS_MAX = 60_000
"""An owner that is slow, or away, is not given more to do than that: what it was asked before still waits for it."""
REMEMBERED_MAX = 10_000
"""Questions whose answer is awaited; older ones are forgotten, and their answers ignored."""


class Questions:
    """Which tasks each awaited answer is about."""

    def __init__(self, sender: Sender, replies: Replies) -> None:
        self._sender = sender
        self._replies = replies
        self._asked: dict[str, list[Delivery]] = {}
        self._next_look_ms = 0

    def confirm(self, deliveries: Iterable[Delivery], now_ms: int) -> None:
        """Asks whether these tasks are still wanted."""
        by_inbox: dict[tuple[str, int], list[Delivery]] = {}
        for delivery in deliveries:
            inbox = (delivery.task.inbox_topic, delivery.task.inbox_partition)
            by_inbox.setdefault(inbox, []).append(delivery)
        for together in by_inbox.values():
            for start in range(0, len(together), CONFIRMED_AT_ONCE_MAX):
                some = together[start : start + CONFIRMED_AT_ONCE_MAX]
                address = self._address(some, now_ms)
                self._sender.confirm(some, address, _wait_for_the_answer)

    def announce(self, delivery: Delivery, started_ms: int, now_ms: int) -> None:
        """Says that an attempt began, and asks whether it is still wanted."""
        if not delivery.announced:
            delivery.ask_apart_ms = 0
        address = self._address([delivery], now_ms)

        def sent(error: LogError | None) -> None:
            if error is None:
                delivery.taken = True
            else:
                delivery.announced = False

        self._sender.announce(delivery, started_ms, self._replies.control, address, sent)

    def heartbeat(self, delivery: Delivery, now_ms: int) -> None:
        """Sends the task's latest details, and asks whether it is still wanted."""
        details, delivery.unsent_heartbeat = delivery.unsent_heartbeat, None
        if details is not None:
            delivery.heartbeat_sent_ms = now_ms
            address = self._address([delivery], now_ms)
            self._sender.heartbeat(delivery, details, address)

    def answered(self, request_id: str) -> list[Delivery]:
        """The tasks that this answer is about, once; none if it is not awaited."""
        return self._asked.pop(request_id, [])

    def overdue(self, in_hand: Collection[Delivery], now_ms: int) -> list[Delivery]:
        """Tasks in hand that have waited for an answer for too long. One that comes late counts all the same."""
        if now_ms >= self._next_look_ms:
            self._next_look_ms = now_ms + ASK_AGAIN_MS
            self._asked = {
                request_id: deliveries
                for request_id, deliveries in self._asked.items()
                if any(delivery in in_hand for delivery in deliveries)
            }
        return [d for d in in_hand if d.stage in _WAITING and d.ask_again_ms <= now_ms]

    def _address(self, deliveries: list[Delivery], now_ms: int) -> ReplyTo:
        """Where an answer about these tasks is awaited from now on."""
        for delivery in deliveries:
            delivery.ask_apart_ms = min(2 * delivery.ask_apart_ms or ASK_AGAIN_MS, ASK_AGAIN_MS_MAX)
            delivery.ask_again_ms = now_ms + delivery.ask_apart_ms
        if len(self._asked) >= REMEMBERED_MAX:
            self._asked.pop(next(iter(self._asked)))
        address = self._replies.address()
        self._asked[address.request_id] = deliveries
        return address


_WAITING = (Stage.CONFIRMING, Stage.ANNOUNCING)


def _wait_for_the_answer(_: LogError | None) -> None:
    """A question that was not taken by the log is overdue like one that was not answered."""
