"""Histories that Temporal's tools export are replayed by our code, where their events have a counterpart."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import HistoryFileError, WorkflowHistory
from streamflow.exceptions import ActivityError, ApplicationError, ChildWorkflowError
from streamflow.model.events import ActivityFailed
from streamflow.worker import Replayer
from streamflow.workflow import NondeterminismError

pytestmark = pytest.mark.asyncio
MINUTE = timedelta(minutes=1)


def payload(value: Any) -> dict[str, Any]:
    text = json.dumps(value).encode()
    return {
        "metadata": {"encoding": base64.b64encode(b"json/plain").decode()},
        "data": base64.b64encode(text).decode(),
    }


def payloads(*values: Any) -> dict[str, Any]:
    return {"payloads": [payload(value) for value in values]}


class Exported:
    """Writes events as an export has them: numbered, timed, with attributes under their own name."""

    def __init__(self, workflow_type: str, *args: Any) -> None:
        self.events: list[dict[str, Any]] = []
        self.add(
            "WORKFLOW_EXECUTION_STARTED",
            workflowType={"name": workflow_type},
            taskQueue={"name": "q"},
            input=payloads(*args),
            originalExecutionRunId="run-1",
            workflowTaskTimeout="10s",
        )

    def add(self, kind: str, **attributes: Any) -> int:
        number = len(self.events) + 1
        words = kind.lower().split("_")
        name = words[0] + "".join(word.capitalize() for word in words[1:])
        self.events.append(
            {
                "eventId": str(number),
                "eventTime": f"2026-03-01T10:00:{number:02d}.123456789Z",
                "eventType": f"EVENT_TYPE_{kind}",
                f"{name}EventAttributes": attributes,
            }
        )
        return number

    def task(self) -> None:
        scheduled = self.add("WORKFLOW_TASK_SCHEDULED")
        started = self.add("WORKFLOW_TASK_STARTED", scheduledEventId=str(scheduled))
        self.add("WORKFLOW_TASK_COMPLETED", startedEventId=str(started))

    def activity(self, name: str, id: str) -> str:
        return str(
            self.add(
                "ACTIVITY_TASK_SCHEDULED",
                activityId=id,
                activityType={"name": name},
                taskQueue={"name": "q"},
                startToCloseTimeout="60s",
            )
        )

    def completed(self, scheduled: str, result: Any) -> None:
        self.add("ACTIVITY_TASK_STARTED", scheduledEventId=scheduled)
        self.add("ACTIVITY_TASK_COMPLETED", scheduledEventId=scheduled, result=payloads(result))

    def history(self) -> WorkflowHistory:
        return WorkflowHistory.from_json("w", json.dumps({"events": self.events}))


@activity.defn
async def ask(name: str) -> str:
    return name


@workflow.defn
class Everything:
    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, name: str) -> list[str]:
        self.words.append(name)
        if workflow.patched("newer"):
            self.words.append("newer")
        self.words.append(await self._ask(name))
        await workflow.sleep(30)
        await workflow.wait_condition(lambda: "go" in self.words)
        try:
            self.words.append(
                await workflow.execute_child_workflow("Other", "x", id="child", task_queue="q")
            )
        except ChildWorkflowError as error:
            self.words.append(str(error.cause))
        self.words.append(
            await workflow.execute_local_activity(ask, "local", start_to_close_timeout=MINUTE)
        )
        try:
            await self._ask("again")
        except ActivityError as error:
            self.words.append(str(error.cause))
        return self.words

    async def _ask(self, name: str) -> str:
        return await workflow.execute_activity(ask, name, start_to_close_timeout=MINUTE)

    @workflow.signal
    def say(self, word: str) -> None:
        self.words.append(word)

    @workflow.update
    async def tell(self, word: str) -> int:
        self.words.append(word)
        return len(self.words)


def _everything(*, first: str = "ask") -> Exported:
    exported = Exported("Everything", "Ann")
    exported.task()
    exported.add(
        "MARKER_RECORDED",
        markerName="core_patch",
        details={"patch-data": payloads({"id": "newer", "deprecated": False})},
    )
    exported.add(
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        searchAttributes={"indexedFields": {"TemporalChangeVersion": payload(["newer"])}},
    )
    scheduled = exported.activity(first, "1")
    exported.completed(scheduled, "Ann!")
    exported.task()
    timer = exported.add("TIMER_STARTED", timerId="1", startToFireTimeout="30s")
    exported.add("WORKFLOW_EXECUTION_SIGNALED", signalName="say", input=payloads("go"))
    exported.task()
    exported.add(
        "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
        protocolInstanceId="u1",
        acceptedRequest={
            "meta": {"updateId": "u1"},
            "input": {"name": "tell", "args": payloads("told")},
        },
    )
    exported.add(
        "WORKFLOW_EXECUTION_UPDATE_COMPLETED",
        meta={"updateId": "u1"},
        outcome={"success": payloads(4)},
    )
    exported.add("TIMER_FIRED", timerId="1", startedEventId=str(timer))
    exported.task()
    child = exported.add(
        "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
        workflowId="child",
        workflowType={"name": "Other"},
        taskQueue={"name": "q"},
        input=payloads("x"),
    )
    execution = {"workflowId": "child", "runId": "run-2"}
    exported.add(
        "CHILD_WORKFLOW_EXECUTION_STARTED",
        initiatedEventId=str(child),
        workflowExecution=execution,
    )
    exported.task()
    exported.add(
        "CHILD_WORKFLOW_EXECUTION_FAILED",
        initiatedEventId=str(child),
        workflowExecution=execution,
        retryState="RETRY_STATE_RETRY_POLICY_NOT_SET",
        failure={"message": "child said no", "applicationFailureInfo": {"type": "No"}},
    )
    exported.task()
    exported.add(
        "MARKER_RECORDED",
        markerName="core_local_activity",
        details={
            "data": payloads({"seq": 1, "attempt": 1, "activity_id": "1", "activity_type": "ask"}),
            "result": payloads("local!"),
        },
    )
    scheduled = exported.activity("ask", "3")
    exported.add("ACTIVITY_TASK_STARTED", scheduledEventId=scheduled)
    exported.add(
        "ACTIVITY_TASK_FAILED",
        scheduledEventId=scheduled,
        retryState="RETRY_STATE_MAXIMUM_ATTEMPTS_REACHED",
        failure={
            "message": "no more",
            "applicationFailureInfo": {"type": "No", "details": payloads(1)},
        },
    )
    exported.task()
    exported.add("WORKFLOW_EXECUTION_COMPLETED", result=payloads(["Ann"]))
    return exported


async def test_a_history_with_all_that_can_be_mapped_replays_to_its_end() -> None:
    history = _everything().history()

    await Replayer(workflows=[Everything]).replay_workflow(history)

    assert history.run_id == "run-1"
    # Once read, it is a history like any other: it can be kept in our own format.
    again = WorkflowHistory.from_json("w", history.to_json())
    assert again.events == history.events
    await Replayer(workflows=[Everything]).replay_workflow(again)


async def test_code_that_asks_for_something_else_does_not_fit() -> None:
    history = _everything(first="someone-else").history()

    with pytest.raises(NondeterminismError, match="someone-else"):
        await Replayer(workflows=[Everything]).replay_workflow(history)


async def test_an_open_history_replays_as_far_as_it_goes() -> None:
    exported = _everything()
    for length in range(4, len(exported.events)):
        if exported.events[length]["eventType"] == "EVENT_TYPE_WORKFLOW_TASK_SCHEDULED":
            part = {"events": exported.events[:length]}
            history = WorkflowHistory.from_json("w", part)
            await Replayer(workflows=[Everything]).replay_workflow(history)


@workflow.defn
class Cancels:
    @workflow.run
    async def run(self) -> None:
        handle = workflow.start_activity(ask, "x", start_to_close_timeout=MINUTE)
        try:
            await workflow.sleep(60)
        finally:
            handle.cancel()


async def test_cancellation_is_mapped_with_what_the_code_then_cancels() -> None:
    exported = Exported("Cancels")
    exported.task()
    scheduled = exported.activity("ask", "1")
    timer = exported.add("TIMER_STARTED", timerId="1", startToFireTimeout="60s")
    exported.add("WORKFLOW_EXECUTION_CANCEL_REQUESTED", cause="enough")
    exported.task()
    exported.add("TIMER_CANCELED", timerId="1", startedEventId=str(timer))
    exported.add("ACTIVITY_TASK_CANCEL_REQUESTED", scheduledEventId=scheduled)
    exported.add("WORKFLOW_EXECUTION_CANCELED")

    await Replayer(workflows=[Cancels]).replay_workflow(exported.history())


async def test_older_names_of_events_and_failed_tasks_are_read_too() -> None:
    exported = Exported("Everything", "Ann")
    scheduled = exported.add("WORKFLOW_TASK_SCHEDULED")
    exported.add("WORKFLOW_TASK_STARTED", scheduledEventId=str(scheduled))
    exported.add("WORKFLOW_TASK_FAILED")
    exported.task()
    exported.add(
        "MARKER_RECORDED",
        markerName="core_patch",
        details={"patch-data": payloads({"id": "newer", "deprecated": False})},
    )
    exported.activity("ask", "1")
    for event in exported.events:
        words = event["eventType"].removeprefix("EVENT_TYPE_").split("_")
        event["eventType"] = "".join(word.capitalize() for word in words)

    await Replayer(workflows=[Everything]).replay_workflow(exported.history())


@pytest.mark.parametrize(
    ("kind", "attributes", "named"),
    [
        ("NEXUS_OPERATION_SCHEDULED", {}, "NexusOperationScheduled"),
        ("MARKER_RECORDED", {"markerName": "SideEffect"}, "SideEffect"),
        ("TIMER_FIRED", {"startedEventId": "99"}, "TimerFired"),
    ],
)
async def test_what_has_no_counterpart_is_named(
    kind: str, attributes: dict[str, Any], named: str
) -> None:
    exported = Exported("Everything", "Ann")
    exported.task()
    exported.add(kind, **attributes)

    with pytest.raises(HistoryFileError, match=named):
        exported.history()


@workflow.defn
class Catches:
    @workflow.run
    async def run(self, _: str) -> str:
        try:
            return await workflow.execute_local_activity(ask, "x", start_to_close_timeout=MINUTE)
        except ApplicationError as error:
            return await workflow.execute_activity(
                ask, f"{error.message}, {error.cause}", start_to_close_timeout=MINUTE
            )


async def test_a_local_activitys_failure_is_read_with_its_own_cause() -> None:
    exported = Exported("Catches", "Ann")
    exported.task()
    exported.add(
        "MARKER_RECORDED",
        markerName="core_local_activity",
        details={
            "data": payloads({"seq": 1, "attempt": 1, "activity_id": "1", "activity_type": "ask"})
        },
        failure={
            "message": "outer",
            "applicationFailureInfo": {"type": "Outer"},
            "cause": {"message": "inner", "applicationFailureInfo": {"type": "Inner"}},
        },
    )
    exported.activity("ask", "2")
    history = exported.history()

    await Replayer(workflows=[Catches]).replay_workflow(history)

    failed = [one.event for one in history.recorded if isinstance(one.event, ActivityFailed)]
    assert [event.failure.message for event in failed] == ["outer"]
