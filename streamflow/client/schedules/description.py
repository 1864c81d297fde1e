"""What can be seen of a schedule, alone or in a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from streamflow.client.calls.values import NOT_GIVEN, NotGiven, decode_one, time_of
from streamflow.client.schedules.action import ScheduleActionStartWorkflow
from streamflow.client.schedules.schedule import Schedule, of_facts
from streamflow.client.schedules.spec import ScheduleSpec
from streamflow.client.workflows.execution import WorkflowExecution
from streamflow.common import SearchAttributes, TypedSearchAttributes
from streamflow.converter.search_attributes import untyped
from streamflow.model.payload import Payload
from streamflow.schedules import OWN_ATTRIBUTES, Described, Info

if TYPE_CHECKING:
    from streamflow.converter import DataConverter


class ScheduleActionExecution:
    """What an action has become."""


@dataclass
class ScheduleActionExecutionStartWorkflow(ScheduleActionExecution):
    workflow_id: str
    first_execution_run_id: str


@dataclass
class ScheduleActionResult:
    scheduled_at: datetime
    """When it was due, with the jitter."""
    started_at: datetime
    action: ScheduleActionExecution


@dataclass
class ScheduleInfo:
    num_actions: int
    num_actions_missed_catchup_window: int
    num_actions_skipped_overlap: int
    running_actions: Sequence[ScheduleActionExecution]
    recent_actions: Sequence[ScheduleActionResult]
    """The last 10, oldest first."""
    next_action_times: Sequence[datetime]
    """The next 10."""
    created_at: datetime
    last_updated_at: datetime | None


class _Notes:
    """The schedule's memo, for both forms."""

    _memo: Mapping[str, Payload]
    data_converter: DataConverter

    async def memo(self) -> Mapping[str, Any]:
        """Notes given when it was made, decoded without type hints."""
        return {
            key: await decode_one(self.data_converter, payload, None)
            for key, payload in self._memo.items()
        }

    async def memo_value(
        self, key: str, default: Any = NOT_GIVEN, *, type_hint: type | None = None
    ) -> Any:
        """One note. Raises KeyError when it is missing and no default is given."""
        payload = self._memo.get(key)
        if payload is not None:
            return await decode_one(self.data_converter, payload, type_hint)
        if isinstance(default, NotGiven):
            raise KeyError(f"Memo does not have a value for key {key}")
        return default


@dataclass
class ScheduleDescription(_Notes):
    """A schedule, and what it has done."""

    id: str
    schedule: Schedule
    info: ScheduleInfo
    typed_search_attributes: TypedSearchAttributes
    search_attributes: SearchAttributes
    data_converter: DataConverter
    raw_description: Described
    _memo: Mapping[str, Payload]


@dataclass
class ScheduleUpdateInput:
    """What an updater is given."""

    description: ScheduleDescription


@dataclass
class ScheduleUpdate:
    """What an updater gives back."""

    schedule: Schedule
    search_attributes: TypedSearchAttributes | None = None
    """Replace those of the schedule. Default: they stay."""


class ScheduleListAction:
    """What a schedule of a list does."""


@dataclass
class ScheduleListActionStartWorkflow(ScheduleListAction):
    workflow: str


@dataclass
class ScheduleListState:
    note: str | None
    paused: bool


@dataclass
class ScheduleListSchedule:
    action: ScheduleListAction
    spec: ScheduleSpec
    state: ScheduleListState


@dataclass
class ScheduleListInfo:
    recent_actions: Sequence[ScheduleActionResult]
    """The last 5, oldest first."""
    next_action_times: Sequence[datetime]
    """The next 5."""


@dataclass
class ScheduleListDescription(_Notes):
    """A schedule of a list."""

    id: str
    schedule: ScheduleListSchedule | None
    info: ScheduleListInfo | None
    typed_search_attributes: TypedSearchAttributes
    search_attributes: SearchAttributes
    data_converter: DataConverter
    raw_entry: Described
    _memo: Mapping[str, Payload]


def described(
    id: str, found: Described, run: WorkflowExecution, converter: DataConverter
) -> ScheduleDescription:
    """From what the schedule's workflow says, and what is known of that workflow."""
    attributes = TypedSearchAttributes(
        [pair for pair in run.typed_search_attributes if pair.key.name not in OWN_ATTRIBUTES]
    )
    return ScheduleDescription(
        id=id,
        schedule=of_facts(found.schedule, converter),
        info=_info(found),
        typed_search_attributes=attributes,
        search_attributes=untyped(attributes),
        data_converter=converter,
        raw_description=found,
        _memo=run.facts.memo,
    )


def listed(
    id: str, found: Described, run: WorkflowExecution, converter: DataConverter
) -> ScheduleListDescription:
    whole = described(id, found, run, converter)
    action = whole.schedule.action
    assert isinstance(action, ScheduleActionStartWorkflow)
    return ScheduleListDescription(
        id=id,
        schedule=ScheduleListSchedule(
            action=ScheduleListActionStartWorkflow(action.workflow),
            spec=whole.schedule.spec,
            state=ScheduleListState(whole.schedule.state.note, whole.schedule.state.paused),
        ),
        info=ScheduleListInfo(
            recent_actions=whole.info.recent_actions[-5:],
            next_action_times=whole.info.next_action_times[:5],
        ),
        typed_search_attributes=whole.typed_search_attributes,
        search_attributes=whole.search_attributes,
        data_converter=converter,
        raw_entry=found,
        _memo=run.facts.memo,
    )


def _info(found: Described) -> ScheduleInfo:
    info: Info = found.info
    return ScheduleInfo(
        num_actions=info.num_actions,
        num_actions_missed_catchup_window=info.missed_catchup_window,
        num_actions_skipped_overlap=info.skipped_overlap,
        running_actions=[
            ScheduleActionExecutionStartWorkflow(one.workflow_id, one.run_id)
            for one in info.running
        ],
        recent_actions=[
            ScheduleActionResult(
                scheduled_at=_time(one.scheduled_ms),
                started_at=_time(one.started_ms),
                action=ScheduleActionExecutionStartWorkflow(one.workflow_id, one.run_id),
            )
            for one in info.recent
        ],
        next_action_times=[_time(at_ms) for at_ms in found.upcoming_ms],
        created_at=_time(info.created_ms),
        last_updated_at=time_of(info.updated_ms),
    )


def _time(milliseconds: int) -> datetime:
    found = time_of(milliseconds)
    assert found is not None, "Expected a moment, found never"
    return found
