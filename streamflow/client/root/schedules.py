"""Calls about schedules: messages to the workflow that a schedule is (`streamflow.schedules`).

That workflow is spoken to without the user's codec or interceptors, since whoever runs schedules has neither; the
arguments of its actions are encoded by the user's converter and codec, and passed on as they are.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Sequence
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from streamflow.calendars import CronError
from streamflow.client import inputs
from streamflow.client.calls.filters import narrowed, prefixed, renamed
from streamflow.client.calls.start import refuse_empty
from streamflow.client.calls.values import converter_for
from streamflow.client.root.calls import Calls
from streamflow.client.schedules.description import (
    ScheduleDescription,
    ScheduleListDescription,
    ScheduleUpdateInput,
    described,
    listed,
)
from streamflow.client.schedules.handle import (
    ScheduleAlreadyRunningError,
    ScheduleAsyncIterator,
    ScheduleHandle,
)
from streamflow.client.schedules.schedule import Schedule, backfill_facts, to_facts
from streamflow.client.workflows.execution import WorkflowExecution
from streamflow.client.workflows.handle import WorkflowHandle
from streamflow.common import RawValue, WorkflowIDReusePolicy
from streamflow.converter import encode_search_attributes
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.schedules import SCHEDULE_TYPE, SCHEDULES_QUEUE, Described, Overlap, workflow_id_of
from streamflow.schedules import Schedule as Facts
from streamflow.schedules.facts import Memory, Patch
from streamflow.schedules.times import refuse_spec
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.client.client import Client

_PREFIX = workflow_id_of("")
_ID_NAME = "ScheduleId"
"""As list filters name a schedule's ID."""


_STARTING_S_MAX = 2.0
"""For so long a description waits for actions that are being started."""
_LOOK_AGAIN_S = 0.02


class ScheduleCalls(Calls):
    async def create_schedule(self, input: inputs.CreateScheduleInput) -> ScheduleHandle:
        refuse_empty("ScheduleId", input.id)
        schedule: Schedule = input.schedule
        _check_limits(schedule)
        facts = await self._facts(schedule)
        converter = self._client.data_converter
        memory = Memory(
            id=input.id,
            schedule=facts,
            trigger=facts.policy.overlap if input.trigger_immediately else None,
            backfills=tuple(backfill_facts(one) for one in input.backfill),
        )
        from streamflow.client.schedules.action import encoded

        memo = {
            name: RawValue(await encoded(converter, value))
            for name, value in (input.memo or {}).items()
        }
        await self._client.transport.prepare_queue(facts.action.queue)
        try:
            await self._plain().start_workflow(
                SCHEDULE_TYPE,
                msgspec.json.encode(memory).decode(),
                id=workflow_id_of(input.id),
                task_queue=SCHEDULES_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                memo=memo or None,
                search_attributes=input.search_attributes,
                static_summary=input.static_summary,
                static_details=input.static_details,
                rpc_timeout=input.rpc_timeout,
            )
        except WorkflowAlreadyStartedError as error:
            raise ScheduleAlreadyRunningError from error
        return ScheduleHandle(self._client, input.id)

    def list_schedules(self, input: inputs.ListSchedulesInput) -> ScheduleAsyncIterator:
        return ScheduleAsyncIterator(self._client, input)

    async def schedules_page(
        self, input: inputs.ListSchedulesInput, page_size: int, token: bytes | None
    ) -> tuple[Sequence[ScheduleListDescription], bytes | None]:
        """A page of a list, and where the next begins."""
        rows, following = await self.schedule_rows(input, page_size, token)
        converter = self._client.data_converter
        return [listed(id, said, run, converter) for id, said, run in rows], following

    async def schedule_rows(
        self, input: inputs.ListSchedulesInput, page_size: int, token: bytes | None
    ) -> tuple[Sequence[tuple[str, Described, WorkflowExecution]], bytes | None]:
        """The same as it is stored: each schedule's ID, what its workflow says, and what lists know of that."""
        query = (
            f"TaskQueue = '{SCHEDULES_QUEUE}' AND WorkflowType = '{SCHEDULE_TYPE}' "
            "AND ExecutionStatus = 'Running'"
        )
        if input.query:
            asked = renamed(prefixed(input.query, _ID_NAME, _PREFIX), {_ID_NAME: "WorkflowId"})
            query = narrowed(asked, query)
        runs = self._plain().list_workflows(
            query, page_size=page_size, next_page_token=token, rpc_timeout=input.rpc_timeout
        )
        await runs.fetch_next_page()
        found: list[tuple[str, Described, WorkflowExecution]] = []
        for run in runs.current_page or ():
            schedule_id = run.id.removeprefix(_PREFIX)
            try:
                said = await self._said(schedule_id, input.rpc_timeout)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    continue  # deleted since the list was made
                raise
            found.append((schedule_id, said, run))
        return found, runs.next_page_token

    async def describe_schedule(self, input: inputs.DescribeScheduleInput) -> ScheduleDescription:
        said, run = await self.schedule_facts(input.id, input.rpc_timeout)
        return described(input.id, said, run, self._client.data_converter)

    async def schedule_facts(
        self, schedule_id: str, rpc_timeout: timedelta | None
    ) -> tuple[Described, WorkflowExecution]:
        """A schedule as it is stored, and what is known of its workflow."""
        said = await self._said(schedule_id, rpc_timeout)
        until_s = monotonic() + _STARTING_S_MAX
        while said.starting and monotonic() < until_s:
            # What was triggered a moment ago is to be among the recent actions.
            await asyncio.sleep(_LOOK_AGAIN_S)
            said = await self._said(schedule_id, rpc_timeout)
        run: WorkflowExecution = await self._handle(schedule_id).describe(rpc_timeout=rpc_timeout)
        return said, run

    async def backfill_schedule(self, input: inputs.BackfillScheduleInput) -> None:
        backfills = tuple(backfill_facts(one) for one in input.backfills)
        await self._patch(input.id, Patch(backfills=backfills), input.rpc_timeout)

    async def delete_schedule(self, input: inputs.DeleteScheduleInput) -> None:
        try:
            await self._handle(input.id).terminate(
                reason="schedule deleted", rpc_timeout=input.rpc_timeout
            )
        except RPCError as error:
            raise named(error, input.id) from error

    async def pause_schedule(self, input: inputs.PauseScheduleInput) -> None:
        note = input.note or "Paused via Python SDK"
        await self._patch(input.id, Patch(paused=True, note=note), input.rpc_timeout)

    async def unpause_schedule(self, input: inputs.UnpauseScheduleInput) -> None:
        note = input.note or "Unpaused via Python SDK"
        await self._patch(input.id, Patch(paused=False, note=note), input.rpc_timeout)

    async def trigger_schedule(self, input: inputs.TriggerScheduleInput) -> None:
        overlap = None if input.overlap is None else Overlap(input.overlap)
        await self._patch(input.id, Patch(trigger=True, overlap=overlap), input.rpc_timeout)

    async def update_schedule(self, input: inputs.UpdateScheduleInput) -> None:
        seen = inputs.DescribeScheduleInput(
            id=input.id, rpc_metadata=input.rpc_metadata, rpc_timeout=input.rpc_timeout
        )
        update = input.updater(ScheduleUpdateInput(await self.describe_schedule(seen)))
        if inspect.isawaitable(update):
            update = await update
        if update is None:
            return
        facts = await self._facts(update.schedule)
        await self._client.transport.prepare_queue(facts.action.queue)
        attributes = update.search_attributes
        patch = Patch(
            schedule=facts,
            search_attributes=None if attributes is None else encode_search_attributes(attributes),
        )
        await self._patch(input.id, patch, input.rpc_timeout)

    # -- the workflow behind it ---------------------------------------------------------------------------------

    async def _facts(self, schedule: Schedule) -> Facts:
        # What the action's workflow is given is that workflow's; its ID is the action's with the time appended.
        action_id = getattr(schedule.action, "id", "")
        action_type = getattr(schedule.action, "workflow", None)
        converter = converter_for(self._client, action_id, workflow_type=action_type)
        try:
            facts = await to_facts(schedule, converter, self._headers)
        except CronError as error:
            raise _invalid(error) from error
        refuse_invalid(facts)
        return facts

    def _plain(self) -> Client:
        from streamflow.client.client import Client

        client = self._client
        return Client(client.transport, namespace=client.namespace, identity=client.identity)

    def _handle(self, schedule_id: str) -> WorkflowHandle[Any, Any]:
        return self._plain().get_workflow_handle(
            workflow_id_of(schedule_id), task_queue=SCHEDULES_QUEUE
        )

    async def _patch(self, schedule_id: str, patch: Patch, rpc_timeout: timedelta | None) -> None:
        try:
            await self._handle(schedule_id).signal(
                "patch", msgspec.json.encode(patch).decode(), rpc_timeout=rpc_timeout
            )
        except RPCError as error:
            raise named(error, schedule_id) from error

    async def _said(self, schedule_id: str, rpc_timeout: timedelta | None) -> Described:
        from streamflow.client.errors import WorkflowQueryRejectedError
        from streamflow.common import QueryRejectCondition

        try:
            text: str = await self._handle(schedule_id).query(
                "describe",
                self._client.transport.now_ms(),
                result_type=str,
                reject_condition=QueryRejectCondition.NOT_OPEN,
                rpc_timeout=rpc_timeout,
            )
        except WorkflowQueryRejectedError as error:
            raise _missing(schedule_id) from error
        except RPCError as error:
            raise named(error, schedule_id) from error
        return msgspec.json.decode(text, type=Described)


def _check_limits(schedule: Schedule) -> None:
    state = schedule.state
    if state.limited_actions and not state.remaining_actions:
        raise ValueError("Must set limited actions to false if there are no remaining actions set")
    if not state.limited_actions and state.remaining_actions:
        raise ValueError("Must set limited actions to true if there are remaining actions set")


def refuse_invalid(facts: Facts) -> None:
    """Raises RPCError INVALID_ARGUMENT for a schedule that could never act as it says."""
    try:
        refuse_spec(facts.spec, ZoneInfo(facts.spec.time_zone or "UTC"))
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _invalid(error) from error


def _invalid(error: Exception) -> RPCError:
    return RPCError(f"Invalid schedule spec: {error}", RPCStatusCode.INVALID_ARGUMENT)


def named(error: RPCError, schedule_id: str) -> RPCError:
    """The error in words about the schedule where its workflow was not found."""
    return _missing(schedule_id) if error.status is RPCStatusCode.NOT_FOUND else error


def _missing(schedule_id: str) -> RPCError:
    return RPCError(
        f"schedule not found: expected a schedule {schedule_id!r}, found none",
        RPCStatusCode.NOT_FOUND,
    )
