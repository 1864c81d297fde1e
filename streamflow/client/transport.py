"""What a client needs of whatever carries its commands: ask one, and find out which queue to ask.

Two implementations: `log.transport` speaks to a log, `http.transport` to a gateway. Both speak in the model's facts;
user values, exceptions and option names are `client`'s and `handle`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from streamflow.model.answers import Answer, Done, ExecutionSummary, Trouble
from streamflow.model.commands import Command
from streamflow.model.events import Recorded
from streamflow.model.ids import RunId
from streamflow.model.queues import QueueEntry

DEADLINE_S = 10.0
"""How long a call waits for its answer unless told otherwise. Waiting for a result has no deadline."""

ONLY_DURABLE = Done(run_id=RunId(""))
"""The command is in the log, and nobody is there to answer it: what becomes of it shows at the handle."""


class EventsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a run's history, decoded."""

    workflow_id: str
    run_id: str
    events: tuple[Recorded, ...]
    next_after_seq: int
    more: bool
    """Whether there are events after these now."""
    closed: bool
    """Whether the run has ended, so that no more will come."""
    trouble: Trouble | None = None
    """Why the run does not move now, where these are the last events of a run that is stuck or paused."""


class ExecutionsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a list of runs."""

    executions: tuple[ExecutionSummary, ...]
    next_page_token: str = ""
    """Where the next page begins; empty when there is none."""


class ExecutionsGroup(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs have these values of the attributes grouped by."""

    count: int
    values: tuple[str | int | float | bool | None, ...]


class ExecutionsCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs a filter finds."""

    count: int
    groups: tuple[ExecutionsGroup, ...] = ()


class Transport(Protocol):
    """Carries commands of one namespace and brings their answers.

    Raises `RPCError` from every method when no answer can be had; a refusal is an answer.
    """

    @property
    def namespace(self) -> str: ...

    async def open(self) -> None:
        """Makes the connection now rather than at the first call."""
        ...

    async def ask(
        self,
        queue: str,
        command: Command,
        *,
        deadline_s: float | None = DEADLINE_S,
        message_id: str | None = None,
    ) -> Answer:
        """The answer; `AwaitResult`, and a start that waits for the result, are renewed until it is there.

        A result's deadline of ``None`` is for ever. An empty ``queue`` is found by the workflow's ID. ``message_id``
        names the message for those who may send it twice; by default each call is a new one.
        """
        ...

    async def events(
        self,
        queue: str,
        workflow_id: str,
        run_id: str | None,
        after_seq: int,
        *,
        deadline_s: float | None = DEADLINE_S,
    ) -> EventsPage | Answer:
        """A page of history; or the refusal."""
        ...

    async def executions(
        self,
        query: str,
        *,
        page_size: int,
        page_token: str = "",
        deadline_s: float | None = DEADLINE_S,
    ) -> ExecutionsPage:
        """A page of the runs that a list filter finds. Raises INVALID_ARGUMENT for a filter that is none."""
        ...

    async def count_executions(
        self, query: str, *, deadline_s: float | None = DEADLINE_S
    ) -> ExecutionsCount:
        """How many runs a list filter finds."""
        ...

    async def search_attributes(self) -> Mapping[str, str]:
        """Names and types of the search attributes that the namespace declares."""
        ...

    async def declare_search_attributes(self, wanted: Mapping[str, str]) -> None:
        """Declares them by name and type."""
        ...

    async def forget_search_attributes(self, names: Sequence[str]) -> None:
        """Takes declarations back; runs keep their values."""
        ...

    async def prepare_queue(self, queue: str) -> None:
        """Makes a queue that a schedule will start workflows on, where queues are made on first use.

        Raises `RPCError` (NOT_FOUND) where they are not, and there is none.
        """
        ...

    async def resume_schedules(self) -> None:
        """Runs the namespace's schedules in this process from now on, if there are any and nobody else does."""
        ...

    def now_ms(self) -> int:
        """Now, in the log's time as far as it is known here."""
        ...

    async def find_queue(
        self, workflow_id: str, run_id: str | None, *, deadline_s: float | None = DEADLINE_S
    ) -> str:
        """The queue that knows this workflow."""
        ...

    async def queues(self) -> Mapping[str, QueueEntry]:
        """The namespace's directory."""
        ...

    def sibling(self, namespace: str) -> Transport:
        """The same way for another namespace. To be closed before this one."""
        ...

    def set_metadata(self, metadata: Mapping[str, str | bytes], api_key: str | None) -> None:
        """What goes along with every later command, where there is a place for it."""
        ...

    async def close(self) -> None: ...
