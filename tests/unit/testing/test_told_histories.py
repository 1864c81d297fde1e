"""Histories of real runs in the events that ported code knows: over the log, over HTTP, and with nothing cached."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from streamflow.api.enums.v1 import EventType, RetryState, TimeoutType, WorkflowTaskFailedCause
from streamflow.api.history.v1 import HistoryEvent
from streamflow.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowHistoryEventFilterType,
)
from streamflow.client.http.transport import HttpTransport
from streamflow.gateway import application
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Replayer, Worker
from tests.unit.testing.told_workflows import (
    ACTIVITIES,
    SOON,
    WORKFLOWS,
    Ends,
    Fragile,
    Notes,
    Parents,
    Works,
    mended,
)

pytestmark = pytest.mark.asyncio

QUEUE = "told"


@pytest_asyncio.fixture(params=["log", "gateway", "uncached"])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue=QUEUE,
            workflows=WORKFLOWS,
            activities=ACTIVITIES,
            max_cached_workflows=0 if request.param == "uncached" else 1_000,
        ),
    ):
        if request.param != "gateway":
            yield env.client
            return
        app = application({"default": env.client.transport})
        over_http = HttpTransport(
            "http://localhost", "default", transport=httpx.ASGITransport(app=app)
        )
        async with Client(over_http) as client:
            yield client


async def told(handle: WorkflowHandle[Any, Any]) -> Sequence[HistoryEvent]:
    """The run's events, numbered without a gap; and its history replays, in our form and in the one that others read."""
    history = await handle.fetch_history()
    assert [event.event_id for event in history.events] == list(range(1, len(history.events) + 1))
    again = WorkflowHistory.from_json(handle.id, history.to_json())
    assert again == history
    replayer = Replayer(workflows=WORKFLOWS)
    await replayer.replay_workflow(history)
    await replayer.replay_workflow(WorkflowHistory.from_json(handle.id, history.to_temporal_json()))
    return history.events


def kinds(events: Sequence[HistoryEvent], without: str = "WORKFLOW_TASK") -> list[str]:
    names = [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events]
    return [name for name in names if not (without and name.startswith(without))]


def only(events: Sequence[HistoryEvent], attributes: str, number: int = 0) -> HistoryEvent:
    return [event for event in events if event.HasField(f"{attributes}_event_attributes")][number]


async def test_a_task_stands_around_each_step(client: Client) -> None:
    handle = await client.start_workflow(
        Ends.run, "complete", id="w", task_queue=QUEUE, static_summary="short"
    )
    await handle.result()

    events = await told(handle)

    assert kinds(events, without="") == [
        "WORKFLOW_EXECUTION_STARTED",
        "WORKFLOW_TASK_SCHEDULED",
        "WORKFLOW_TASK_STARTED",
        "WORKFLOW_TASK_COMPLETED",
        "WORKFLOW_EXECUTION_COMPLETED",
    ]
    started = events[0].workflow_execution_started_event_attributes
    assert started.workflow_type.name == "Ends"
    assert started.task_queue.name == QUEUE
    assert started.input.payloads[0].data == b'"complete"'
    assert started.original_execution_run_id == handle.first_execution_run_id
    assert started.attempt == 1
    assert events[0].user_metadata.summary.data == b'"short"'
    completed = events[3].workflow_task_completed_event_attributes
    assert (completed.scheduled_event_id, completed.started_event_id) == (2, 3)
    ended = events[4].workflow_execution_completed_event_attributes
    assert ended.workflow_task_completed_event_id == 4
    assert ended.result.payloads[0].data == b'"complete"'
    assert abs(datetime.now(UTC) - events[0].event_time.ToDatetime(UTC)) < timedelta(days=1)


async def test_our_own_event_is_behind_each_that_has_one(client: Client) -> None:
    handle = await client.start_workflow(Ends.run, "complete", id="w", task_queue=QUEUE)
    await handle.result()

    history = await handle.fetch_history()

    assert [event.recorded and event.recorded.seq for event in history.events] == [
        1,
        None,
        None,
        2,
        3,
    ]
    assert [type(one.event).__name__ for one in history.recorded] == [
        "WorkflowStarted",
        "Activated",
        "WorkflowCompleted",
    ]


async def test_activities_and_timers(client: Client) -> None:
    handle = await client.start_workflow(Works.run, "hi", id="w", task_queue=QUEUE)
    await handle.result()

    events = await told(handle)

    assert kinds(events)[1:-1] == [
        *("ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED"),
        *("ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_FAILED"),
        *("ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_TIMED_OUT"),
        *("ACTIVITY_TASK_SCHEDULED", "TIMER_STARTED", "TIMER_FIRED"),
        *("ACTIVITY_TASK_CANCEL_REQUESTED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_CANCELED"),
        *("TIMER_STARTED", "TIMER_FIRED"),
        *("TIMER_STARTED", "TIMER_STARTED", "TIMER_FIRED", "TIMER_CANCELED"),
    ]
    scheduled = only(events, "activity_task_scheduled")
    asked = scheduled.activity_task_scheduled_event_attributes
    assert asked.activity_type.name == "shout"
    assert asked.input.payloads[0].data == b'"hi"'
    assert asked.start_to_close_timeout.ToTimedelta() == SOON
    assert asked.retry_policy.backoff_coefficient == 2.0
    assert asked.retry_policy.maximum_interval.ToTimedelta() == timedelta(seconds=100)
    assert scheduled.user_metadata.summary.data == b'"loud"'
    done = only(events, "activity_task_completed").activity_task_completed_event_attributes
    assert done.scheduled_event_id == scheduled.event_id
    assert done.result.payloads[0].data == b'"HI"'
    failed = only(events, "activity_task_failed").activity_task_failed_event_attributes
    assert failed.failure.message == "not today"
    assert failed.failure.application_failure_info.type == "Closed"
    assert failed.retry_state == RetryState.RETRY_STATE_NON_RETRYABLE_FAILURE
    late = only(events, "activity_task_timed_out").activity_task_timed_out_event_attributes
    timeout = late.failure.timeout_failure_info
    assert timeout.timeout_type == TimeoutType.TIMEOUT_TYPE_START_TO_CLOSE
    canceled = only(events, "activity_task_canceled").activity_task_canceled_event_attributes
    request = only(events, "activity_task_cancel_requested")
    assert canceled.latest_cancel_requested_event_id == request.event_id
    begun = only(events, "activity_task_started").activity_task_started_event_attributes
    assert begun.attempt == 1
    assert begun.identity
    nap = only(events, "timer_started")
    assert nap.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta().seconds == 1
    assert nap.user_metadata.summary.data == b'"a nap"'
    fired = only(events, "timer_fired").timer_fired_event_attributes
    assert (fired.timer_id, fired.started_event_id) == ("1", nap.event_id)


async def test_messages_and_notes(client: Client) -> None:
    """Local activities and patches are markers; what is removed is an empty value."""
    handle = await client.start_workflow(Notes.run, id="w", task_queue=QUEUE)
    assert await handle.execute_update(Notes.ask, 1, id="first") == 1
    with pytest.raises(Exception, match="update failed"):
        await handle.execute_update(Notes.ask, -1)
    await handle.signal(Notes.go, "now")
    await handle.result()

    events = await told(handle)

    markers = [
        event.marker_recorded_event_attributes.marker_name
        for event in events
        if event.HasField("marker_recorded_event_attributes")
    ]
    assert markers == ["core_patch", "core_local_activity", "core_local_activity"]
    result = only(events, "marker_recorded", 1).marker_recorded_event_attributes
    assert result.details["result"].payloads[0].data == b'"HERE"'
    refused = only(events, "marker_recorded", 2).marker_recorded_event_attributes
    assert refused.failure.message == "not today"
    removed = only(events, "workflow_properties_modified", 1)
    fields = removed.workflow_properties_modified_event_attributes.upserted_memo.fields
    assert fields["gone"].metadata == {"encoding": b"binary/null"}
    upserted = only(events, "upsert_workflow_search_attributes")
    attributes = upserted.upsert_workflow_search_attributes_event_attributes.search_attributes
    assert attributes.indexed_fields["Color"].data == b'"red"'
    accepted = only(events, "workflow_execution_update_accepted")
    request = accepted.workflow_execution_update_accepted_event_attributes.accepted_request
    assert (request.meta.update_id, request.input.name) == ("first", "ask")
    assert request.input.args.payloads[0].data == b"1"
    done = only(events, "workflow_execution_update_completed")
    completed = done.workflow_execution_update_completed_event_attributes
    assert completed.accepted_event_id == accepted.event_id
    assert completed.outcome.success.payloads[0].data == b"1"
    other = only(events, "workflow_execution_update_completed", 1)
    outcome = other.workflow_execution_update_completed_event_attributes.outcome
    assert outcome.WhichOneof("value") == "failure"
    assert outcome.failure.message == "too small"
    signal = only(events, "workflow_execution_signaled")
    assert signal.workflow_execution_signaled_event_attributes.signal_name == "go"


async def test_children_and_messages_to_others(client: Client) -> None:
    handle = await client.start_workflow(Parents.run, id="w", task_queue=QUEUE)
    await handle.result()

    events = await told(handle)

    start = "START_CHILD_WORKFLOW_EXECUTION"
    cancel = "REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION"
    signal = "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION"
    found = [kind.replace("CHILD_WORKFLOW_EXECUTION", "CHILD") for kind in kinds(events)[1:-1]]
    assert [kind for kind in found if kind != "CHILD_STARTED"] == [
        *("START_CHILD_INITIATED", "CHILD_COMPLETED", "START_CHILD_INITIATED"),
        *("START_CHILD_INITIATED", "CHILD_FAILED", "START_CHILD_INITIATED", "START_CHILD_FAILED"),
        *(f"{signal}_INITIATED", "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED") * 2,
        *(f"{signal}_INITIATED", f"{signal}_FAILED", f"{cancel}_INITIATED", f"{cancel}_FAILED"),
        *(f"{cancel}_INITIATED", "EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED", "CHILD_CANCELED"),
        *("START_CHILD_INITIATED", f"{cancel}_INITIATED", "CHILD_CANCELED"),
    ], start
    initiated = only(events, "start_child_workflow_execution_initiated")
    asked = initiated.start_child_workflow_execution_initiated_event_attributes
    assert (asked.workflow_id, asked.workflow_type.name) == ("c1", "Ends")
    begun = only(events, "child_workflow_execution_started")
    execution = begun.child_workflow_execution_started_event_attributes.workflow_execution
    child = client.get_workflow_handle("c1", run_id=execution.run_id, task_queue=QUEUE)
    [first, *_] = (await child.fetch_history()).events
    parent = first.workflow_execution_started_event_attributes.parent_workflow_execution
    assert (parent.workflow_id, parent.run_id) == ("w", handle.first_execution_run_id)
    failed = only(events, "child_workflow_execution_failed")
    failure = failed.child_workflow_execution_failed_event_attributes.failure
    assert failure.message == "over"
    to_child = only(events, "signal_external_workflow_execution_initiated")
    sent = to_child.signal_external_workflow_execution_initiated_event_attributes
    assert sent.child_workflow_only
    assert sent.workflow_execution.workflow_id == "c2"


@pytest.mark.parametrize(
    ("how", "kind"),
    [
        ("fail", "FAILED"),
        ("continue", "CONTINUED_AS_NEW"),
        ("cancel", "CANCELED"),
        ("terminate", "TERMINATED"),
        ("time out", "TIMED_OUT"),
    ],
)
async def test_ends_of_runs(client: Client, how: str, kind: str) -> None:
    waits = how in ("cancel", "terminate", "time out")
    started = await client.start_workflow(
        Ends.run,
        "wait" if waits else how,
        id="w",
        task_queue=QUEUE,
        run_timeout=timedelta(hours=1) if how == "time out" else None,
    )
    handle = client.get_workflow_handle("w", run_id=started.first_execution_run_id)
    if how == "cancel":
        await started.cancel()
    elif how == "terminate":
        await started.terminate("why", reason="enough")
    if how == "continue":
        await started.result()
    else:
        with pytest.raises(WorkflowFailureError):
            await started.result()

    *_, last = await told(handle)

    assert EventType.Name(last.event_type) == f"EVENT_TYPE_WORKFLOW_EXECUTION_{kind}"
    closing = handle.fetch_history_events(
        wait_new_event=True, event_filter_type=WorkflowHistoryEventFilterType.CLOSE_EVENT
    )
    assert [event.event_id async for event in closing] == [last.event_id]
    if how == "fail":
        assert last.workflow_execution_failed_event_attributes.failure.message == "over"
    if how == "terminate":
        ended = last.workflow_execution_terminated_event_attributes
        assert (ended.reason, ended.details.payloads[0].data) == ("enough", b'"why"')
    if how == "continue":
        next_run = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
        following = client.get_workflow_handle("w", run_id=next_run)
        [first, *_] = (await following.fetch_history()).events
        begun = first.workflow_execution_started_event_attributes
        assert begun.continued_execution_run_id == started.first_execution_run_id


async def test_a_stuck_run_has_a_failed_task_at_its_end_until_its_code_is_mended(
    client: Client,
) -> None:
    mended.clear()
    handle = await client.start_workflow(Fragile.run, id="w", task_queue=QUEUE)
    while True:
        events = (await handle.fetch_history()).events
        if events[-1].HasField("workflow_task_failed_event_attributes"):
            break
    mended.add("w")

    failed = events[-1].workflow_task_failed_event_attributes
    assert [event.event_id for event in events] == [1, 2, 3, 4]
    assert failed.failure.message == "this code is broken"
    assert failed.failure.application_failure_info.type == "RuntimeError"
    assert failed.cause == (
        WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE
    )
    assert await handle.result() == "mended"
    assert "WORKFLOW_TASK_FAILED" not in kinds(await told(handle), without="")


async def test_a_paused_run_says_so_at_its_end(client: Client) -> None:
    handle = await client.start_workflow(Ends.run, "wait", id="w", task_queue=QUEUE)
    await handle.pause(reason="inventory")

    *_, last = (await handle.fetch_history()).events

    assert last.event_type == EventType.EVENT_TYPE_WORKFLOW_EXECUTION_PAUSED
    assert "inventory" in last.workflow_execution_paused_event_attributes.reason


async def test_reading_goes_on_after_a_token(client: Client) -> None:
    """Numbers go on too, and refer to what was read before."""
    handle = await client.start_workflow(Notes.run, id="w", task_queue=QUEUE)
    first = handle.fetch_history_events(wait_new_event=True)
    await first.fetch_next_page()
    token, seen = first.next_page_token, [*(first.current_page or ())]
    await handle.signal(Notes.go, "now")
    await handle.result()

    rest = [event async for event in handle.fetch_history_events(next_page_token=token)]

    assert [*seen, *rest] == [*(await handle.fetch_history()).events]


async def test_a_part_of_a_history_is_one_as_well(client: Client) -> None:
    """As many steps from the first as one likes: events bring along what they stand for."""
    handle = await client.start_workflow(Works.run, "hi", id="w", task_queue=QUEUE)
    await handle.result()
    history = await handle.fetch_history()

    ends = [
        index
        for index, event in enumerate(history.events)
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED
    ]
    for length in ends:
        part = WorkflowHistory("w", history.events[:length])
        await Replayer(workflows=WORKFLOWS).replay_workflow(part)


async def test_events_that_were_read_from_bytes_make_a_history(client: Client) -> None:
    handle = await client.start_workflow(Works.run, "hi", id="w", task_queue=QUEUE)
    await handle.result()
    bare = [
        HistoryEvent.FromString(event.SerializeToString())
        for event in (await handle.fetch_history()).events
    ]

    await Replayer(workflows=WORKFLOWS).replay_workflow(WorkflowHistory("w", bare))
