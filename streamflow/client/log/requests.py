"""Requests under way: which answer belongs to which, when one is sent again, and when it is given up.

    sent --answer--> answered
      |--nothing for `resend_s`--> the same message again (its ID makes a copy harmless)
      |--a result's wait, `renew_s`--> asked for again
      |--durable, nobody alive--> settled without an answer (start, signal, cancel, terminate)
      '--deadline--> given up, with what is known of the queue's processors

Pure bookkeeping on the event loop's thread; sending and looking at the queue are the transport's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from enum import Enum

import msgspec

from streamflow.client.log.queues import Route
from streamflow.model.answers import Answer, Done, RunResult, TakenOver, UpdateOutcome
from streamflow.model.commands import (
    AwaitResult,
    AwaitUpdate,
    CancelWorkflow,
    Command,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    UpdateStage,
    UpdateWithStart,
    UpdateWorkflow,
    WaitFor,
)
from streamflow.model.options import Status
from streamflow.ports import LogError


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """How patient a client is, in seconds."""

    sweep_s: float = 0.25
    resend_s: float = 3.0
    renew_s: float = 20.0
    unheard_s: float = 0.5
    """Without an answer for so long, a caller looks whether anyone is there to give one."""


class Due(Enum):
    """What the sweep has to do about a request."""

    SEND_AGAIN = "send_again"
    LOOK = "look"
    GIVE_UP = "give_up"


class Pending:
    """One request under way. ``durable`` and ``error`` are set from any thread, the rest on the loop's."""

    __slots__ = (
        "command",
        "deadline",
        "durable",
        "error",
        "future",
        "looked_at",
        "message_id",
        "queue",
        "request_id",
        "route",
        "send_at",
        "sends",
        "settles_when_durable",
        "waits_for_result",
    )

    def __init__(
        self,
        request_id: str,
        queue: str,
        route: Route,
        command: Command,
        future: asyncio.Future[Answer],
        *,
        send_at: float,
        deadline: float | None,
        looked_at: float,
    ) -> None:
        self.request_id = request_id
        self.message_id = request_id
        self.queue = queue
        self.route = route
        self.command = command
        self.future = future
        self.send_at = send_at
        self.deadline = deadline
        self.looked_at = looked_at
        self.durable = False
        self.error: LogError | None = None
        self.waits_for_result = waits_for_result(command)
        self.sends = 0
        self.settles_when_durable = not self.waits_for_result and isinstance(
            command, StartWorkflow | SignalWorkflow | CancelWorkflow | TerminateWorkflow
        )
        """Whether being in the log is answer enough when nobody is there to give another."""

    def is_for(self, taken: TakenOver) -> bool:
        """Whether its answer is up to one of these partitions' new owner."""
        route = self.route
        return (
            route.topic == taken.inbox_topic
            and route.partition_of(self.command.workflow_id) in taken.partitions
        )

    def due(self, now: float, timing: Timing) -> Due | None:
        if self.deadline is not None and now >= self.deadline:
            return Due.GIVE_UP
        if now >= self.send_at:
            return Due.SEND_AGAIN
        if self.durable and self.settles_when_durable and now >= self.looked_at + timing.unheard_s:
            return Due.LOOK
        return None

    def sent(self, now: float, timing: Timing) -> None:
        # An update that nobody has judged yet is remembered by its caller alone, so the second time comes soon.
        self.sends += 1
        renewed = self.waits_for_result or (waits_for_update(self.command) and self.sends > 1)
        self.send_at = now + (timing.renew_s if renewed else timing.resend_s)

    def accept(self, answer: Answer) -> bool:
        """Whether this answer ends the request; otherwise ``command`` is what to ask now.

        A wait for a result may be answered before there is one: the start was accepted (a copy of it, or a takeover
        in between), or the long poll ran out. Both name the run that is then waited for.
        """
        if waits_for_update(self.command):
            return self._accept_update(answer)
        if not self.waits_for_result:
            return True
        match answer:
            case Done(run_id=run_id) | RunResult(run_id=run_id, status=Status.RUNNING):
                self.command = AwaitResult(
                    workflow_id=self.command.workflow_id, run_id=run_id or None
                )
                return False
            case _:
                return True

    def _accept_update(self, answer: Answer) -> bool:
        """An update that is under way is waited for, if the caller wants its outcome."""
        match answer, self.command:
            case UpdateOutcome(completed=False), UpdateWorkflow(wait_for=UpdateStage.ACCEPTED):
                return True
            case UpdateOutcome(completed=False), UpdateWithStart():
                return True  # the caller is to learn of the run; it waits afterwards
            case UpdateOutcome(completed=False, run_id=run_id, update_id=update_id), _:
                self.command = AwaitUpdate(
                    workflow_id=self.command.workflow_id, run_id=run_id, update_id=update_id
                )
                return False
            case _:
                return True

    def renewed(self) -> Command:
        """What to send when a wait for a result has been quiet for long.

        A start is repeated as one that only wants to be accepted: if the first was lost this begins the run, and if
        it was not, its copy is answered with the run to wait for.
        """
        match self.command:
            case StartWorkflow(wait_for=WaitFor.RESULT) as start:
                return msgspec.structs.replace(start, wait_for=WaitFor.ACCEPTED)
            case command:
                return command


def waits_for_result(command: Command) -> bool:
    match command:
        case AwaitResult() | StartWorkflow(wait_for=WaitFor.RESULT):
            return True
        case _:
            return False


def waits_for_update(command: Command) -> bool:
    """Whether the answer may take as long as the workflow's code likes."""
    return isinstance(command, AwaitUpdate | UpdateWorkflow | UpdateWithStart)


class Requests:
    """The requests under way of one client, by their numbers."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._count = 0
        self._pending: dict[str, Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def __iter__(self) -> Iterator[Pending]:
        """A snapshot: the table may change while it is walked."""
        return iter(tuple(self._pending.values()))

    def next_id(self) -> str:
        """Unlike every other client's: a replies partition has several readers."""
        self._count += 1
        return f"{self._prefix}{self._count:x}"

    def is_mine(self, request_id: str) -> bool:
        return request_id.startswith(self._prefix)

    def add(self, pending: Pending) -> None:
        self._pending[pending.request_id] = pending

    def get(self, request_id: str) -> Pending | None:
        return self._pending.get(request_id)

    def remove(self, request_id: str) -> None:
        self._pending.pop(request_id, None)
