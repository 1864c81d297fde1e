"""What each tab of a run's page shows."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from streamflow.api.sdk.v1 import WorkflowMetadata
from streamflow.client import WorkflowExecutionDescription, WorkflowQueryFailedError
from streamflow.client.history.file import event_to_json
from streamflow.gateway.access import Role
from streamflow.model.answers import Description
from streamflow.model.options import Status
from streamflow.service import RPCError
from streamflow.ui import arguments
from streamflow.ui.history import EVENTS_OF_A_PAGE, events_after, latest
from streamflow.ui.payloads import Cause, Reader, Shown, cut
from streamflow.ui.site import Visit
from streamflow.ui.steps import Step, steps_of
from streamflow.ui.telling import EMPTY, about, values_of, without_payloads
from streamflow.ui.timeline import draw
from streamflow.ui.travel import travel

QUERY = timedelta(seconds=5)
LINES_MAX = 200
"""Steps of a page, the latest: more could not be read, and the page is made anew every few seconds."""
METADATA = "__temporal_workflow_metadata"
STACK_TRACE = "__stack_trace"


@dataclass(frozen=True)
class Run:
    """The run whose page it is."""

    visit: Visit
    facts: Description
    description: WorkflowExecutionDescription
    reader: Reader

    def link(self, view: str, /, **parameters: str | int) -> str:
        return self.visit.link(
            "workflow",
            id=self.facts.workflow_id,
            run=self.facts.run_id,
            view="" if view == "history" else view,
            **parameters,
        )

    def page(self, page: str, /, **parameters: str | int) -> str:
        """Another page about this run."""
        return self.visit.link(page, id=self.facts.workflow_id, run=self.facts.run_id, **parameters)

    def act(self, what: str, /, **parameters: str | int) -> str:
        """The form for something to be done to it."""
        return self.page("act", do=what, **parameters)

    async def query(
        self, name: str, args: Sequence[Any] = (), answer: type[Any] | None = None
    ) -> Any:
        """The code's answer. Raises `WorkflowQueryFailedError` or `RPCError` when there is none."""
        handle = self.visit.client.get_workflow_handle(
            self.facts.workflow_id, run_id=self.facts.run_id, task_queue=self.facts.queue
        )
        return await handle.query(name, args=args, result_type=answer, rpc_timeout=QUERY)


@dataclass(frozen=True)
class Line:
    """A step with its values as text."""

    step: Step
    args: Sequence[Shown]
    result: Shown | None
    causes: Sequence[Cause]
    address: str
    """Of the workflow that the step speaks to."""

    @property
    def words(self) -> str:
        """Everything that the line and what it opens say."""
        step = self.step
        said = [step.kind, step.name, step.summary, step.state, step.note, step.workflow_id]
        said += [shown.text for shown in (*self.args, *([self.result] if self.result else []))]
        said += [f"{cause.kind} {cause.message}" for cause in self.causes]
        return "\n".join(said)


async def history(visit: Visit, run: Run) -> dict[str, Any]:
    """The latest steps; with ``find`` those in which the text stands, with ``only=failed`` those with a failure."""
    part = await latest(visit, run.facts)
    steps = steps_of(part.events, run.facts)
    find, failed = visit.asked("find").strip().lower(), visit.asked("only") == "failed"
    meant = [step for step in steps if step.failure is not None or not failed]
    if find:
        lines = [await _line(run, step) for step in meant]
        lines = [line for line in lines if find in line.words.lower()]
        count = len(lines)
        lines = lines[-LINES_MAX:]
    else:
        count = len(meant)
        lines = [await _line(run, step) for step in meant[-LINES_MAX:]]
    return {
        "lines": lines,
        "count": count,
        "left_out": part.left_out,
        "find": visit.asked("find").strip(),
        "only_failed": failed,
        "failures": sum(step.failure is not None for step in steps),
        "steps": len(steps),
        "only_link": run.link("history", find=find, only="" if failed else "failed"),
    }


async def timeline(visit: Visit, run: Run) -> dict[str, Any]:
    part = await latest(visit, run.facts)
    until_ms = run.facts.closed_ms or visit.client.transport.now_ms()
    drawing = draw(steps_of(part.events, run.facts), until_ms=until_ms)
    return {"drawing": drawing, "left_out": part.left_out}


async def events(visit: Visit, run: Run) -> dict[str, Any]:
    """A page of events after ``after``."""
    last = run.facts.history_length
    after = min(arguments.number(visit.asked("after"), "after"), max(0, last - 1))
    found = await events_after(visit, run.facts, after, EVENTS_OF_A_PAGE)
    rows: list[dict[str, Any]] = []
    for recorded in found:
        body = event_to_json(recorded)
        fields = {name: value for name, value in body["event"].items() if value not in EMPTY}
        rows.append(
            {
                "recorded": recorded,
                "type": body["type"],
                "about": about(fields),
                "values": await values_of(run.reader, recorded.event),
                "fields": cut(json.dumps(without_payloads(fields), indent=2, ensure_ascii=False)),
            }
        )
    size = EVENTS_OF_A_PAGE
    return {
        "rows": rows,
        "first": run.link("events") if after else "",
        "before": run.link("events", after=max(0, after - size)) if after else "",
        "following": run.link("events", after=after + size) if after + size < last else "",
        "final": run.link("events", after=max(0, last - size)) if after + size < last else "",
    }


async def pending(visit: Visit, run: Run) -> dict[str, Any]:
    reader, now_ms = run.reader, visit.client.transport.now_ms()
    return {
        "activities": [
            {
                "facts": activity,
                "causes": await reader.causes(activity.last_failure),
                "failed": [
                    {"facts": failed, "reason": await reader.reason(failed.failure)}
                    for failed in activity.failed_attempts
                ],
                "details": await reader.values(activity.heartbeat_details),
                "in_ms": max(0, activity.next_retry_ms - now_ms)
                if activity.next_retry_ms
                else None,
            }
            for activity in run.facts.pending_activities
        ],
        "timers": [
            {"facts": timer, "in_ms": max(0, timer.fire_at_ms - now_ms)}
            for timer in run.facts.pending_timers
        ],
    }


async def queries(visit: Visit, run: Run) -> dict[str, Any]:
    """The queries that the code has, and the answer to the one that the address asks."""
    name, text = visit.asked("query"), visit.asked("args")
    found: dict[str, Any] = {"metadata": None, "asked": name, "asked_args": text}
    found |= {"answer": None, "refusal": ""}
    try:
        found["metadata"] = await metadata(run)
        if name:
            found["answer"] = cut(as_json_text(await run.query(name, arguments.values(text))))
    except (RPCError, WorkflowQueryFailedError, arguments.Refused) as error:
        found["refusal"] = str(error)
    return found


async def stack(_visit: Visit, run: Run) -> dict[str, Any]:
    if run.facts.status is not Status.RUNNING:
        return {"stack": "", "refusal": ""}
    try:
        return {"stack": str(await run.query(STACK_TRACE)), "refusal": ""}
    except (RPCError, WorkflowQueryFailedError) as error:
        return {"stack": "", "refusal": str(error)}


async def as_json(visit: Visit, run: Run) -> dict[str, Any]:
    part = await latest(visit, run.facts)
    shown = [event_to_json(recorded) for recorded in part.events[-EVENTS_OF_A_PAGE:]]
    return {
        "json": json.dumps(shown, indent=2, ensure_ascii=False),
        "left_out": run.facts.history_length - len(shown),
    }


async def metadata(run: Run) -> WorkflowMetadata:
    """Which messages the code handles."""
    found = await run.query(METADATA, answer=WorkflowMetadata)
    assert isinstance(found, WorkflowMetadata), found
    return found


Read = Callable[[Visit, Run], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Tab:
    """A way of looking at a run."""

    name: str
    label: str
    read: Read
    role: Role = Role.VIEWER
    """Whom it is offered to; the view itself says who else is refused, and why."""

    @property
    def template(self) -> str:
        return f"tab_{self.name}.html"


TABS = (
    Tab("history", "History", history),
    Tab("timeline", "Timeline", timeline),
    Tab("events", "Events", events),
    Tab("pending", "Pending", pending),
    Tab("queries", "Queries", queries),
    Tab("stack", "Stack", stack),
    Tab("travel", "Time travel", travel, Role.OPERATOR),
    Tab("json", "JSON", as_json),
)


async def _line(run: Run, step: Step) -> Line:
    reader = run.reader
    address = ""
    if step.workflow_id:
        address = run.visit.link("workflow", id=step.workflow_id, run=step.run_id)
    return Line(
        step,
        await reader.values(step.args),
        await reader.value(step.result),
        await reader.causes(step.failure),
        address,
    )


def as_json_text(value: Any) -> str:
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except TypeError:
        return repr(value)
