"""The routes of the public API as a table: the application and its description are both made of it."""

from __future__ import annotations

import msgspec
from starlette.requests import Request

from streamflow.client.http import api_v1, api_v1_activities
from streamflow.client.http.api_v1_updates import UpdateBody
from streamflow.gateway import following
from streamflow.gateway.audit_api import AUDIT_ROUTES
from streamflow.gateway.letters_api import LETTER_ROUTES
from streamflow.gateway.namespaces_api import NAMESPACE_ROUTES
from streamflow.gateway.operations import Operations, Reply
from streamflow.gateway.queues_api import QUEUE_ROUTES
from streamflow.gateway.routing import (
    AFTER,
    FOLLOW,
    LAST_EVENT,
    NAMESPACE,
    PAGE_SIZE,
    PAGE_TOKEN,
    QUERY,
    QUEUE,
    RUN,
    WAIT,
    Route,
)
from streamflow.model.answers import (
    Description,
    Done,
    HeartbeatAck,
    QueryAnswer,
    RunResult,
    UpdateOutcome,
)

CommandBody = (
    api_v1.SignalBody
    | api_v1.QueryBody
    | api_v1.CancelBody
    | api_v1.TerminateBody
    | api_v1.ControlWorkflowBody
    | api_v1.ResetBody
    | api_v1_activities.ReportBody
    | api_v1_activities.HeartbeatBody
    | api_v1_activities.ControlBody
)


_WORKFLOWS = NAMESPACE + "/workflows"
_WORKFLOW = _WORKFLOWS + "/{workflow_id}"


def _command(
    name: str,
    path: str,
    about: str,
    body: type[CommandBody],
    *,
    answer: type[msgspec.Struct] = Done,
) -> Route:
    """A route that tells a workflow what its body says."""

    async def tell(operations: Operations, request: Request) -> Reply:
        return await operations.tell(request, body)

    return Route(
        name=name,
        method="POST",
        path=_WORKFLOW + path,
        about=about,
        operation=tell,
        body=body,
        answers=(answer,),
        parameters=(QUEUE,),
    )


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
        path=NAMESPACE + "/queues",
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
        path=NAMESPACE + "/workflow-count",
        about="How many runs a list filter finds, by group if it groups.",
        operation=Operations.count,
        answers=(api_v1.CountBody,),
        parameters=(QUERY,),
    ),
    Route(
        name="list_search_attributes",
        method="GET",
        path=NAMESPACE + "/search-attributes",
        about="The search attributes that the namespace declares, with their types.",
        operation=Operations.search_attributes,
        answers=(api_v1.SearchAttributesBody,),
    ),
    Route(
        name="declare_search_attributes",
        method="POST",
        path=NAMESPACE + "/search-attributes",
        about="Declares search attributes.",
        operation=Operations.declare_search_attributes,
        body=api_v1.SearchAttributesBody,
        answers=(api_v1.SearchAttributesBody,),
    ),
    Route(
        name="forget_search_attributes",
        method="POST",
        path=NAMESPACE + "/search-attributes/forget",
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
    _command(
        "signal_workflow",
        "/signal",
        "Delivers a signal; once answered it is never lost.",
        api_v1.SignalBody,
    ),
    _command(
        "query_workflow",
        "/query",
        "Asks the workflow's code, which has seen every signal that was answered before.",
        api_v1.QueryBody,
        answer=QueryAnswer,
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
    _command(
        "cancel_workflow",
        "/cancel",
        "Asks the workflow to stop; its code may clean up first.",
        api_v1.CancelBody,
    ),
    _command(
        "terminate_workflow",
        "/terminate",
        "Ends the run at once, without running more of its code.",
        api_v1.TerminateBody,
    ),
    _command(
        "control_workflow",
        "/control",
        "Pauses a run, lets it go on, or deletes a closed one before its retention ends.",
        api_v1.ControlWorkflowBody,
    ),
    _command(
        "reset_workflow",
        "/reset",
        "Begins a new run with what a run had done before the step of an event; that step is made anew.",
        api_v1.ResetBody,
    ),
    _command(
        "report_activity",
        "/activities/report",
        "Ends an activity that is completed from outside: completed, failed or cancelled.",
        api_v1_activities.ReportBody,
    ),
    _command(
        "heartbeat_activity",
        "/activities/heartbeat",
        "Says that an activity that is completed from outside lives, and asks whether it is to stop.",
        api_v1_activities.HeartbeatBody,
        answer=HeartbeatAck,
    ),
    _command(
        "control_activity",
        "/activities/control",
        "Pauses a pending activity, lets it go on, counts its attempts anew, or changes its options.",
        api_v1_activities.ControlBody,
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
        name="follow_events",
        method="GET",
        path=_WORKFLOW + "/events",
        about="The run's events as server-sent events, each as it comes, until the run ends.",
        operation=Operations.events,
        answers=(api_v1.EventBody,),
        parameters=(QUEUE, RUN, AFTER, FOLLOW, LAST_EVENT),
        media_type=following.MEDIA_TYPE,
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
    *QUEUE_ROUTES,
    *NAMESPACE_ROUTES,
    *LETTER_ROUTES,
    *AUDIT_ROUTES,
)
