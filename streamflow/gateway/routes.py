"""The routes of the public API as a table: the application and its description are both made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request

from streamflow.client.http import api_v1
from streamflow.client.http.api_v1_updates import UpdateBody
from streamflow.gateway.operations import Operations, Reply
from streamflow.model.answers import (
    Description,
    Done,
    HeartbeatAck,
    QueryAnswer,
    RunResult,
    UpdateOutcome,
)

Operation = Callable[[Operations, Request], Awaitable[Reply]]


class Parameter(msgspec.Struct, frozen=True):
    """A query parameter."""

    name: str
    about: str
    type: str = "string"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API."""

    name: str
    method: str
    path: str
    about: str
    operation: Operation
    body: type[msgspec.Struct] | None = None
    answers: tuple[type[msgspec.Struct], ...]
    parameters: tuple[Parameter, ...] = ()


QUEUE = Parameter("queue", "The workflow's task queue; found by its ID when left out.")
RUN = Parameter("run_id", "One run of the workflow; its latest when left out.")
WAIT = Parameter(
    "wait_ms",
    "How long to wait for the end, 25,000 at most; the answer is then RUNNING.",
    "integer",
)
AFTER = Parameter("after_seq", "Only events after this number.", "integer")
QUERY = Parameter("query", "A list filter (docs/list-filters.md); all runs when left out.")
PAGE_SIZE = Parameter("page_size", "Runs of a page, 1,000 at most; 100 when left out.", "integer")
PAGE_TOKEN = Parameter("page_token", "Where the page before ended.")

_NAMESPACE = "/namespaces/{namespace}"
_WORKFLOWS = _NAMESPACE + "/workflows"
_WORKFLOW = _WORKFLOWS + "/{workflow_id}"

ROUTES: tuple[Route, ...] = (
    Route(
        name="health",
        method="GET",
        path="/health",
        about="Says that the gateway is up, and which namespaces it serves.",
        operation=Operations.health,
        answers=(api_v1.HealthBody,),
    ),
    Route(
        name="list_queues",
        method="GET",
        path=_NAMESPACE + "/queues",
        about="The namespace's task queues.",
        operation=Operations.queues,
        answers=(api_v1.QueuesBody,),
    ),
    Route(
        name="list_workflows",
        method="GET",
        path=_WORKFLOWS,
        about="A page of the runs that a list filter finds, newest first.",
        operation=Operations.list,
        answers=(api_v1.ExecutionsBody,),
        parameters=(QUERY, PAGE_SIZE, PAGE_TOKEN),
    ),
    Route(
        name="count_workflows",
        method="GET",
        path=_NAMESPACE + "/workflow-count",
        about="How many runs a list filter finds, by group if it groups.",
        operation=Operations.count,
        answers=(api_v1.CountBody,),
        parameters=(QUERY,),
    ),
    Route(
        name="list_search_attributes",
        method="GET",
        path=_NAMESPACE + "/search-attributes",
        about="The search attributes that the namespace declares, with their types.",
        operation=Operations.search_attributes,
        answers=(api_v1.SearchAttributesBody,),
    ),
    Route(
        name="declare_search_attributes",
        method="POST",
        path=_NAMESPACE + "/search-attributes",
        about="Declares search attributes.",
        operation=Operations.declare_search_attributes,
        body=api_v1.SearchAttributesBody,
        answers=(api_v1.SearchAttributesBody,),
    ),
    Route(
        name="forget_search_attributes",
        method="POST",
        path=_NAMESPACE + "/search-attributes/forget",
        about="Takes declarations back; runs keep their values.",
        operation=Operations.forget_search_attributes,
        body=api_v1.ForgetSearchAttributesBody,
        answers=(api_v1.SearchAttributesBody,),
    ),
    Route(
        name="start_workflow",
        method="POST",
        path=_WORKFLOWS,
        about="Starts a workflow, or signals it with its start; answers at once, or with its result.",
        operation=Operations.start,
        body=api_v1.StartBody,
        answers=(Done, RunResult),
        parameters=(WAIT,),
    ),
    Route(
        name="describe_workflow",
        method="GET",
        path=_WORKFLOW,
        about="Status, times, pending activities, children and timers, and why the run does not move if its code failed.",
        operation=Operations.describe,
        answers=(Description,),
        parameters=(QUEUE, RUN),
    ),
    Route(
        name="signal_workflow",
        method="POST",
        path=_WORKFLOW + "/signal",
        about="Delivers a signal; once answered it is never lost.",
        operation=Operations.signal,
        body=api_v1.SignalBody,
        answers=(Done,),
        parameters=(QUEUE,),
    ),
    Route(
        name="query_workflow",
        method="POST",
        path=_WORKFLOW + "/query",
        about="Asks the workflow's code, which has seen every signal that was answered before.",
        operation=Operations.query,
        body=api_v1.QueryBody,
        answers=(QueryAnswer,),
        parameters=(QUEUE,),
    ),
    Route(
        name="update_workflow",
        method="POST",
        path=_WORKFLOW + "/update",
        about="Asks the workflow's code to change something, and answers with what it says; with a start if need be.",
        operation=Operations.update,
        body=UpdateBody,
        answers=(UpdateOutcome,),
        parameters=(QUEUE, WAIT),
    ),
    Route(
        name="await_update",
        method="GET",
        path=_WORKFLOW + "/updates/{update_id}",
        about="Waits for the outcome of an update.",
        operation=Operations.update_outcome,
        answers=(UpdateOutcome,),
        parameters=(QUEUE, RUN, WAIT),
    ),
    Route(
        name="cancel_workflow",
        method="POST",
        path=_WORKFLOW + "/cancel",
        about="Asks the workflow to stop; its code may clean up first.",
        operation=Operations.cancel,
        body=api_v1.CancelBody,
        answers=(Done,),
        parameters=(QUEUE,),
    ),
    Route(
        name="terminate_workflow",
        method="POST",
        path=_WORKFLOW + "/terminate",
        about="Ends the run at once, without running more of its code.",
        operation=Operations.terminate,
        body=api_v1.TerminateBody,
        answers=(Done,),
        parameters=(QUEUE,),
    ),
    Route(
        name="control_workflow",
        method="POST",
        path=_WORKFLOW + "/control",
        about="Pauses a run, lets it go on, or deletes a closed one before its retention ends.",
        operation=Operations.control,
        body=api_v1.ControlWorkflowBody,
        answers=(Done,),
        parameters=(QUEUE,),
    ),
    Route(
        name="reset_workflow",
        method="POST",
        path=_WORKFLOW + "/reset",
        about="Begins a new run with what a run had done before the step of an event; that step is made anew.",
        operation=Operations.reset,
        body=api_v1.ResetBody,
        answers=(Done,),
        parameters=(QUEUE,),
    ),
    Route(
        name="report_activity",
        method="POST",
        path=_WORKFLOW + "/activities/report",
        about="Ends an activity that is completed from outside: completed, failed or cancelled.",
        operation=Operations.report_activity,
        body=api_v1.ReportBody,
        answers=(Done,),
        parameters=(QUEUE,),
    ),
    Route(
        name="heartbeat_activity",
        method="POST",
        path=_WORKFLOW + "/activities/heartbeat",
        about="Says that an activity that is completed from outside lives, and asks whether it is to stop.",
        operation=Operations.heartbeat_activity,
        body=api_v1.HeartbeatBody,
        answers=(HeartbeatAck,),
        parameters=(QUEUE,),
    ),
    Route(
        name="control_activity",
        method="POST",
        path=_WORKFLOW + "/activities/control",
        about="Pauses a pending activity, lets it go on, or counts its attempts anew.",
        operation=Operations.control_activity,
        body=api_v1.ControlBody,
        answers=(Done,),
        parameters=(QUEUE,),
    ),
    Route(
        name="await_result",
        method="GET",
        path=_WORKFLOW + "/result",
        about="Waits for the run's end.",
        operation=Operations.result,
        answers=(RunResult,),
        parameters=(QUEUE, RUN, WAIT),
    ),
    Route(
        name="fetch_history",
        method="GET",
        path=_WORKFLOW + "/history",
        about="A page of the run's events, in the form of the history file.",
        operation=Operations.history,
        answers=(api_v1.HistoryBody,),
        parameters=(QUEUE, RUN, AFTER),
    ),
    Route(
        name="find_queue",
        method="GET",
        path=_WORKFLOW + "/queue",
        about="The task queue that knows the workflow.",
        operation=Operations.queue,
        answers=(api_v1.LocatedBody,),
        parameters=(RUN,),
    ),
)
