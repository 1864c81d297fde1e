"""Schedules: made, shown, changed, listed and deleted. As elsewhere a schedule is a workflow that is spoken to."""

from __future__ import annotations

from itertools import takewhile
from zoneinfo import ZoneInfo

import msgspec

from streamflow.api.workflowservice.v1 import (
    CreateScheduleRequest,
    CreateScheduleResponse,
    DeleteScheduleRequest,
    DeleteScheduleResponse,
    DescribeScheduleRequest,
    DescribeScheduleResponse,
    ListScheduleMatchingTimesRequest,
    ListScheduleMatchingTimesResponse,
    ListSchedulesRequest,
    ListSchedulesResponse,
    PatchScheduleRequest,
    PatchScheduleResponse,
    UpdateScheduleRequest,
    UpdateScheduleResponse,
)
from streamflow.client.calls.address import Address, expect
from streamflow.client.calls.start import refuse_empty
from streamflow.client.inputs import DeleteScheduleInput, ListSchedulesInput
from streamflow.client.raw.asked import Asked
from streamflow.client.raw.schedule_facts import patch_of, schedule_of
from streamflow.client.raw.schedule_messages import (
    attributes_of,
    entry_of,
    info_of,
    message_of,
    moment,
    token_of,
)
from streamflow.client.root.schedules import named, refuse_invalid
from streamflow.converter import DataConverter
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.commands import SignalWorkflow, StartWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.payload import Payloads
from streamflow.schedules import SCHEDULE_TYPE, SCHEDULES_QUEUE, Schedule, workflow_id_of
from streamflow.schedules.facts import Memory, Patch
from streamflow.schedules.seeing import patched
from streamflow.schedules.times import next_times
from streamflow.service import RPCError, RPCStatusCode

PAGE_SIZE = 1_000
TIMES_MAX = 1_000
"""Of one answer about matching times."""


async def create_schedule(asked: Asked, request: CreateScheduleRequest) -> CreateScheduleResponse:
    schedule, patch = await _checked(asked, request), patch_of(request.initial_patch)
    schedule = patched(schedule, patch)
    memory = Memory(
        id=request.schedule_id,
        schedule=schedule,
        trigger=(patch.overlap or schedule.policy.overlap) if patch.trigger else None,
        backfills=patch.backfills,
    )
    address = _address(asked, request.schedule_id)
    command = StartWorkflow(
        workflow_id=WorkflowId(address.workflow_id),
        workflow_type=SCHEDULE_TYPE,
        args=_text(memory),
        memo=dict(request.memo.fields),
        search_attributes=dict(request.search_attributes.indexed_fields),
        identity=asked.identity(request.identity),
    )
    answer = await asked.answer(address, command, request_id=request.request_id)
    if isinstance(answer, Rejection) and answer.reason is Reason.ALREADY_STARTED:
        raise RPCError(
            f"schedule with this ID is already registered: {request.schedule_id}",
            RPCStatusCode.ALREADY_EXISTS,
        )
    expect(answer, Done)
    return CreateScheduleResponse(conflict_token=token_of(schedule))


async def describe_schedule(
    asked: Asked, request: DescribeScheduleRequest
) -> DescribeScheduleResponse:
    refuse_empty("ScheduleId", request.schedule_id)
    said, run = await asked.client.root.schedule_facts(request.schedule_id, asked.timeout)
    made = DescribeScheduleResponse(
        schedule=message_of(said.schedule),
        info=info_of(said),
        conflict_token=token_of(said.schedule),
    )
    made.memo.fields.update(run.facts.memo)
    made.search_attributes.indexed_fields.update(attributes_of(run.facts))
    return made


async def update_schedule(asked: Asked, request: UpdateScheduleRequest) -> UpdateScheduleResponse:
    """With a conflict token: refused where the schedule is another one by now. One that changes between that look and the
    update is overwritten."""
    schedule = await _checked(asked, request)
    if request.conflict_token:
        said, _ = await asked.client.root.schedule_facts(request.schedule_id, asked.timeout)
        if token_of(said.schedule) != request.conflict_token:
            raise RPCError(
                f"mismatched conflict token: schedule {request.schedule_id!r} has changed since it was described; describe it again",
                RPCStatusCode.FAILED_PRECONDITION,
            )
    attributes = request.search_attributes.indexed_fields
    patch = Patch(
        schedule=schedule,
        search_attributes=dict(attributes) if request.HasField("search_attributes") else None,
    )
    await _patch(asked, request, patch)
    return UpdateScheduleResponse()


async def patch_schedule(asked: Asked, request: PatchScheduleRequest) -> PatchScheduleResponse:
    await _patch(asked, request, patch_of(request.patch))
    return PatchScheduleResponse()


async def list_schedule_matching_times(
    asked: Asked, request: ListScheduleMatchingTimesRequest
) -> ListScheduleMatchingTimesResponse:
    """Both ends belong to the time that is asked about. At most 1,000 times."""
    refuse_empty("ScheduleId", request.schedule_id)
    said, _ = await asked.client.root.schedule_facts(request.schedule_id, asked.timeout)
    spec, end_ms = said.schedule.spec, request.end_time.ToMilliseconds()
    times = next_times(
        spec,
        request.start_time.ToMilliseconds() - 1,
        ZoneInfo(spec.time_zone or "UTC"),
        request.schedule_id,
    )
    made = ListScheduleMatchingTimesResponse()
    for due in takewhile(lambda due: due.nominal_ms <= end_ms, times):
        made.start_time.append(moment(due.at_ms))
        if len(made.start_time) == TIMES_MAX:
            break
    return made


async def list_schedules(asked: Asked, request: ListSchedulesRequest) -> ListSchedulesResponse:
    given = ListSchedulesInput(
        page_size=request.maximum_page_size or PAGE_SIZE,
        next_page_token=request.next_page_token or None,
        rpc_metadata={},
        rpc_timeout=asked.timeout,
        query=request.query or None,
    )
    rows, following = await asked.client.root.schedule_rows(
        given, given.page_size, given.next_page_token
    )
    return ListSchedulesResponse(
        schedules=[entry_of(schedule_id, said, run.facts) for schedule_id, said, run in rows],
        next_page_token=following or b"",
    )


async def delete_schedule(asked: Asked, request: DeleteScheduleRequest) -> DeleteScheduleResponse:
    """Workflows that it started go on."""
    refuse_empty("ScheduleId", request.schedule_id)
    await asked.client.root.delete_schedule(
        DeleteScheduleInput(id=request.schedule_id, rpc_metadata={}, rpc_timeout=asked.timeout)
    )
    return DeleteScheduleResponse()


async def _checked(
    asked: Asked, request: CreateScheduleRequest | UpdateScheduleRequest
) -> Schedule:
    """The schedule of the request, if it could ever act, with the queue that it acts on."""
    refuse_empty("ScheduleId", request.schedule_id)
    schedule = schedule_of(request.schedule)
    refuse_invalid(schedule)
    await asked.client.transport.prepare_queue(schedule.action.queue)
    return schedule


async def _patch(
    asked: Asked, request: UpdateScheduleRequest | PatchScheduleRequest, patch: Patch
) -> None:
    address = _address(asked, request.schedule_id)
    command = SignalWorkflow(
        workflow_id=WorkflowId(address.workflow_id),
        signal_name="patch",
        args=_text(patch),
        identity=asked.identity(request.identity),
    )
    try:
        await asked.ask(address, command, Done, request_id=request.request_id)
    except RPCError as error:
        raise named(error, request.schedule_id) from error


def _address(asked: Asked, schedule_id: str) -> Address:
    refuse_empty("ScheduleId", schedule_id)
    return Address(asked.client, workflow_id_of(schedule_id), None, SCHEDULES_QUEUE)


def _text(said: Memory | Patch) -> Payloads:
    text = msgspec.json.encode(said).decode()
    return tuple(DataConverter.default.payload_converter.to_payloads([text]))


ANSWERS = (
    create_schedule,
    delete_schedule,
    describe_schedule,
    list_schedule_matching_times,
    list_schedules,
    patch_schedule,
    update_schedule,
)
