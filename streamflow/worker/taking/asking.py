"""Questions of a worker to the owners of its tasks, until they are answered: is this task still wanted?

    redelivered tasks --gather, one question per inbox partition--> asked --Confirmed--> handed over, or dropped
    announcements, heartbeats                                        asked --HeartbeatAck or refusal--> go on, or stop
    nothing for `ASK_AGAIN_MS` --> asked again

Owned by the poll thread. Which answer means what for a task is the poller's.
"""

from __future__ import annotations

from collections.abc import Iterable

from streamflow.ports import LogError
from streamflow.worker.taking.delivery import Delivery, Stage
from streamflow.worker.taking.replies import Replies
from streamflow.worker.taking.sending import Sender

CONFIRMED_AT_ONCE_MAX = 200
"""Tasks asked about in one command."""
ASK_AGAIN_MS = 5_000
REMEMBERED_MAX = 10_000
"""Questions whose answer is awaited; older ones are forgotten, and their answers ignored."""


class Questions:
    """Which tasks each awaited answer is about."""

    def __init__(self, sender: Sender, replies: Replies) -> None:
        self._sender = sender
        self._replies = replies
        self._asked: dict[str, tuple[list[Delivery], int]] = {}

    def confirm(self, deliveries: Iterable[Delivery], now_ms: int) -> None:
        """Asks whether these redelivered tasks are still pending."""
        by_inbox: dict[tuple[str, int], list[Delivery]] = {}
        for delivery in deliveries:
            inbox = (delivery.task.inbox_topic, delivery.task.inbox_partition)
            by_inbox.setdefault(inbox, []).append(delivery)
        for together in by_inbox.values():
            for start in range(0, len(together), CONFIRMED_AT_ONCE_MAX):
                some = together[start : start + CONFIRMED_AT_ONCE_MAX]
                address = self._replies.address()
                self._remember(address.request_id, some, now_ms)
                self._sender.confirm(some, address, _wait_for_the_answer)

    def announce(self, delivery: Delivery, started_ms: int, now_ms: int) -> None:
        """Says that an attempt began, and asks whether it is still wanted."""
        address = self._replies.address()
        self._remember(address.request_id, [delivery], now_ms)

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
            address = self._replies.address()
            self._remember(address.request_id, [delivery], now_ms)
            self._sender.heartbeat(delivery, details, address)

    def answered(self, request_id: str) -> list[Delivery]:
        """The tasks that this answer is about, once; none if it is not awaited."""
        return self._asked.pop(request_id, ([], 0))[0]

    def overdue(self, now_ms: int) -> list[Delivery]:
        """Tasks that wait for an answer and got none; their questions are forgotten."""
        late: list[Delivery] = []
        for request_id, (deliveries, asked_ms) in list(self._asked.items()):
            if now_ms - asked_ms < ASK_AGAIN_MS:
                break  # in the order of asking
            del self._asked[request_id]
            late += [delivery for delivery in deliveries if delivery.stage in _WAITING]
        return late

    def _remember(self, request_id: str, deliveries: list[Delivery], now_ms: int) -> None:
        if len(self._asked) >= REMEMBERED_MAX:
            self._asked.pop(next(iter(self._asked)))
        self._asked[request_id] = (deliveries, now_ms)


_WAITING = (Stage.CONFIRMING, Stage.ANNOUNCING)


def _wait_for_the_answer(_: LogError | None) -> None:
    """A question that was not taken by the log is overdue like one that was not answered."""
