"""A run's history in the user's hands."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast, overload

from streamflow.api.history.telling import CLOSINGS, told
from streamflow.api.history.v1 import HistoryEvent
from streamflow.api.message_json import to_json
from streamflow.client.history import file as history_file
from streamflow.model.events import History, Recorded
from streamflow.model.ids import RunId, WorkflowId


class WorkflowHistoryEventFilterType(IntEnum):
    """Which events to fetch: all, or only the one that closed the run."""

    ALL_EVENT = 1
    CLOSE_EVENT = 2


@dataclass(frozen=True, eq=False)
class WorkflowHistory:
    """A run's events from the first. `to_json` is what `streamflow replay` and a Replayer read.

    ``events`` are in the form that ported code knows; `recorded` are those of our own history that they were made of. Two
    histories are equal if these are.
    """

    workflow_id: str
    events: Sequence[HistoryEvent]
    run_id: str = ""

    @staticmethod
    def of(workflow_id: str, recorded: Sequence[Recorded], run_id: str = "") -> WorkflowHistory:
        """The history that has these events of ours. How they look to ported code is found out when somebody looks."""
        return WorkflowHistory(workflow_id, _Told(workflow_id, recorded, run_id), run_id)

    @staticmethod
    def from_json(
        workflow_id: str | None, history: str | bytes | Mapping[str, Any]
    ) -> WorkflowHistory:
        """Reads what `to_json` or `streamflow workflow history` wrote; ``None`` takes the ID that is in it.

        A history that Temporal's tools exported is mapped onto our events, where it can be (see `temporal_json`).

        Raises:
            HistoryFileError (a ValueError): this is no history that this release can read.
        """
        facts = history_file.from_json_of_any(workflow_id, history)
        return WorkflowHistory.of(workflow_id or facts.workflow_id, facts.events, facts.run_id)

    @property
    def recorded(self) -> Sequence[Recorded]:
        """The events as our own history has them.

        Raises:
            HistoryFileError: the events were not fetched or read here, and have no counterparts.
        """
        return self.to_model().events

    def to_json(self) -> str:
        return json.dumps(self.to_json_dict(), indent=2)

    def to_json_dict(self) -> dict[str, Any]:
        return history_file.to_json_dict(self.to_model())

    def to_temporal_json(self) -> str:
        """The events in the form in which Temporal's tools exchange histories. `from_json` reads that too, but it says less
        than `to_json`: keep histories for replay in that form."""
        return json.dumps({"events": [to_json(event) for event in self.events]}, indent=2)

    def to_model(self) -> History:
        return History(
            workflow_id=WorkflowId(self.workflow_id),
            run_id=RunId(self.run_id),
            events=_recorded(self.workflow_id, self.events),
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, WorkflowHistory):
            return NotImplemented
        return self.to_model() == other.to_model()

    def __hash__(self) -> int:
        return hash((self.workflow_id, self.run_id))


class _Told(Sequence[HistoryEvent]):
    """Made when it is first looked at: a replay never does, and a long history takes a while."""

    def __init__(self, workflow_id: str, recorded: Iterable[Recorded], run_id: str) -> None:
        self.history = History(
            workflow_id=WorkflowId(workflow_id), run_id=RunId(run_id), events=tuple(recorded)
        )
        self._made: list[HistoryEvent] | None = None

    @overload
    def __getitem__(self, index: int) -> HistoryEvent: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[HistoryEvent]: ...
    def __getitem__(self, index: int | slice) -> HistoryEvent | Sequence[HistoryEvent]:
        return self._events()[index]

    def __len__(self) -> int:
        return len(self._events())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._events() == list(
            cast("Sequence[object]", other)
        )

    __hash__ = None  # type: ignore[assignment]  # as that of a list

    def __repr__(self) -> str:
        return repr(self._events())

    def _events(self) -> list[HistoryEvent]:
        if self._made is None:
            self._made = list(told(self.history))
        return self._made


def _recorded(workflow_id: str, events: Sequence[HistoryEvent]) -> tuple[Recorded, ...]:
    if isinstance(events, _Told):
        return events.history.events
    by_seq = {recorded.seq: recorded for event in events for recorded in event.sources}
    if by_seq or not events:
        return tuple(by_seq[seq] for seq in sorted(by_seq))
    parsed = cast("Mapping[str, Any]", {"events": [to_json(event) for event in events]})
    return history_file.from_json_of_any(workflow_id, parsed).events


def closes(event: HistoryEvent) -> bool:
    """Whether this event ended the run."""
    return event.event_type in CLOSINGS
