"""What a worker says to the owners of its tasks: begun, alive, ended, still wanted? Each goes to the task's inbox.

Sending is asynchronous and from any thread. What was not taken by the log is kept, and sent again by `retry`.
"""

from __future__ import annotations

import itertools
import secrets
from collections import deque
from collections.abc import Callable, Sequence

from streamflow.model.commands import (
    ActivityOutcome,
    Command,
    ConfirmTasks,
    Envelope,
    HeartbeatActivity,
    ReplyTo,
    ReportActivity,
    StartActivity,
)
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.ids import MessageId
from streamflow.model.payload import Payloads
from streamflow.observability import get_logger
from streamflow.ports import Fatal, LogError, NotGranted, OutRecord, Producer, RecordRefused
from streamflow.wire.inbox import to_inbox
from streamflow.worker.running.attempt import Outcome
from streamflow.worker.taking.delivery import Delivery

_log = get_logger("worker")

Sent = Callable[[LogError | None], None]
HEARTBEAT_MS_DEFAULT = 30_000
HEARTBEAT_MS_MAX = 60_000
HEARTBEAT_SHARE = 0.8


def heartbeat_interval_ms(
    heartbeat_timeout_ms: int | None,
    *,
    longest_ms: int = HEARTBEAT_MS_MAX,
    default_ms: int = HEARTBEAT_MS_DEFAULT,
) -> int:
    """How far apart heartbeats are sent, however often the code reports them."""
    if heartbeat_timeout_ms is None:
        return default_ms
    return min(int(heartbeat_timeout_ms * HEARTBEAT_SHARE), longest_ms)


class Sender:
    """Puts commands about tasks into the inboxes of their runs."""

    def __init__(self, producer: Producer, identity: str) -> None:
        self._producer = producer
        self._identity = identity
        # New at each start: two messages of one name would count as copies of one.
        self._prefix = f"{secrets.token_hex(8)}-"
        self._numbers = itertools.count(1)
        self._unsent: deque[Callable[[], None]] = deque()
        self._fatal: Fatal | None = None
        self._ungranted = False
        """Whether reports wait for a grant, and that was said."""

    # -- on the poll thread ---------------------------------------------------------------------------------------

    def retry(self) -> None:
        """Sends again what the log had not taken.

        Raises:
            Fatal: it never will.
        """
        if self._fatal is not None:
            raise self._fatal
        for _ in range(len(self._unsent)):
            self._unsent.popleft()()

    def flush(self, wait_ms: int) -> None:
        self._producer.flush(wait_ms)

    def close(self) -> None:
        self._producer.close()

    def confirm(self, deliveries: Sequence[Delivery], reply_to: ReplyTo, sent: Sent) -> None:
        """Asks whether these tasks, all of one inbox partition, are still pending."""
        first = deliveries[0].task
        command = ConfirmTasks(
            workflow_id=first.workflow_id,
            tasks=tuple((delivery.task.workflow_id, delivery.ref) for delivery in deliveries),
        )
        self._send(deliveries[0], command, reply_to, sent)

    def announce(
        self,
        delivery: Delivery,
        started_ms: int,
        control: ReplyTo,
        reply_to: ReplyTo | None,
        sent: Sent,
    ) -> None:
        """Says that the attempt began, and where to push its cancellation."""
        delivery.announced = True
        command = StartActivity(
            workflow_id=delivery.task.workflow_id,
            task=delivery.ref,
            started_ms=started_ms,
            identity=self._identity,
            control=control,
        )
        self._send(delivery, command, reply_to, sent)

    # -- from any thread ------------------------------------------------------------------------------------------

    def heartbeat(self, delivery: Delivery, details: Payloads, reply_to: ReplyTo | None) -> None:
        """Lost ones are not repeated: the next one says more."""
        command = HeartbeatActivity(
            workflow_id=delivery.task.workflow_id,
            task=delivery.ref,
            details=details,
            identity=self._identity,
        )
        self._send(delivery, command, reply_to, _ignore)

    def hand_on(self, delivery: Delivery, durable: Callable[[], None]) -> None:
        """Says that the attempt is under way and will end elsewhere, until the log has taken it; ``durable`` is then told."""
        command = StartActivity(
            workflow_id=delivery.task.workflow_id,
            task=delivery.ref,
            started_ms=delivery.started_ms,
            identity=self._identity,
        )

        def sent(error: LogError | None) -> None:
            match error:
                case None | RecordRefused():
                    durable()
                case Fatal():
                    self._fatal = error
                case _:
                    self._unsent.append(lambda: self.hand_on(delivery, durable))

        self._send(delivery, command, None, sent)

    def report(self, delivery: Delivery, outcome: Outcome, durable: Callable[[], None]) -> None:
        """Says how the attempt ended, until the log has taken it; ``durable`` is then told, on any thread."""
        command = ReportActivity(
            workflow_id=delivery.task.workflow_id,
            task=delivery.ref,
            outcome=outcome.kind,
            result=outcome.result,
            failure=outcome.failure,
            identity=self._identity,
        )

        def sent(error: LogError | None) -> None:
            match error:
                case None:
                    durable()
                case RecordRefused() if outcome.failure is None or outcome.failure.type != _REFUSED:
                    # The result itself is at fault (too large, say); the run must hear of that.
                    self.report(delivery, _refused(error), durable)
                case RecordRefused():
                    _log.error("report_refused", task=repr(delivery.ref), error=str(error))
                    durable()
                case Fatal():
                    self._fatal = error
                case _:
                    self._unsent.append(lambda: self.report(delivery, outcome, durable))

        self._send(delivery, command, None, sent)

    def _note(self, error: LogError | None) -> None:
        """Says once, until something got through, what somebody has to mend before it does."""
        if isinstance(error, NotGranted) and not self._ungranted:
            _log.error("reports_wait", error=str(error))
        self._ungranted = isinstance(error, NotGranted)

    def send(self, record: OutRecord, sent: Sent) -> None:
        try:
            self._producer.send(record, sent)
        except LogError as error:
            sent(error)

    def _send(
        self, delivery: Delivery, command: Command, reply_to: ReplyTo | None, sent: Sent
    ) -> None:
        message_id = MessageId(f"{self._prefix}{next(self._numbers):x}")
        envelope = Envelope(message_id=message_id, reply_to=reply_to)
        task = delivery.task

        def told(error: LogError | None) -> None:
            self._note(error)
            sent(error)

        self.send(to_inbox(task.inbox_topic, task.inbox_partition, command, envelope), told)


_REFUSED = "ReportRefused"


def _refused(error: RecordRefused) -> Outcome:
    failure = Failure(
        kind=FailureKind.APPLICATION,
        message=f"The log refused the activity's outcome: {error}; return less, or a reference to what was stored",
        type=_REFUSED,
        non_retryable=True,
    )
    return Outcome(ActivityOutcome.FAILED, failure=failure)


def _ignore(_: LogError | None) -> None: ...
