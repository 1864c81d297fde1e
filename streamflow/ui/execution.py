"""The page of one run: what it is doing and why, with a tab for each way of looking at it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from starlette.responses import Response

from streamflow.client import WorkflowExecutionDescription
from streamflow.client.calls.address import expect
from streamflow.gateway.access import Role
from streamflow.model.answers import Description, RunResult
from streamflow.model.commands import AwaitResult
from streamflow.model.control import PAUSED
from streamflow.model.events import WorkflowStarted
from streamflow.model.ids import RunId
from streamflow.model.options import Status
from streamflow.ui import formats, shell
from streamflow.ui.chips import quoted
from streamflow.ui.executions import LABELS
from streamflow.ui.history import first_event
from streamflow.ui.payloads import Cause, Reader, Shown
from streamflow.ui.site import HEADERS, Problem, Visit
from streamflow.ui.tabs import TABS, Run

CALL = timedelta(seconds=5)
CLOCKS_MS = 10_000
"""So often the durations of a page that is followed are made anew, where nothing else has changed ..."""
COUNTS_DOWN_MS = 60_000
"""... but each second while a retry is as near as this."""


@dataclass(frozen=True)
class Tab:
    name: str
    label: str
    address: str
    chosen: bool


@dataclass(frozen=True)
class Ending:
    """How the run ended."""

    result: Shown | None = None
    causes: Sequence[Cause] = ()
    reason: str = ""
    new_run_id: str = ""


async def page(visit: Visit) -> Response:
    """A run by ``id`` and ``run``, its latest without ``run``; the tab is ``view``."""
    run = await described(visit)
    facts, name = run.facts, (visit.asked("view") or "history")
    tab = next((tab for tab in TABS if tab.name == name), None)
    if tab is None:
        known = ", ".join(tab.name for tab in TABS)
        raise Problem(404, f"Expected a view that is one of {known}, found {name!r}")
    may_act = await visit.may_for(Role.OPERATOR, facts.workflow_id)
    version = _version(visit, facts, may_act=may_act)
    if visit.has(version):
        return visit.unchanged(version)
    started = (await first_event(visit, facts)).event
    assert isinstance(started, WorkflowStarted), started
    state = state_of(facts)
    return visit.page(
        "execution.html",
        version=version,
        run=facts,
        state=state,
        label=LABELS[state],
        open=facts.status is Status.RUNNING,
        started=started,
        args=await run.reader.values(started.args),
        ending=await _ending(run),
        failing=await _failing(run),
        raised=await run.reader.causes(facts.trouble.failure if facts.trouble else None),
        elapsed_ms=(facts.closed_ms or visit.client.transport.now_ms())
        - (facts.execution_ms or facts.started_ms),
        now_ms=visit.client.transport.now_ms(),
        step=_current_step(facts),
        tabs=[
            Tab(one.name, _labelled(one.label, one.name, facts), run.link(one.name), one is tab)
            for one in TABS
            if may_act or one.role is Role.VIEWER
        ],
        tab=tab,
        run_link=run.link,
        act=run.act,
        may_act=may_act,
        download=run.page("log"),
        type_query=f"WorkflowType = {quoted(facts.workflow_type)}",
        said=SAID.get(visit.asked("said"), ""),
        command=shell.describe(visit.namespace, facts.workflow_id, facts.run_id),
        **await tab.read(visit, run),
    )


def _version(visit: Visit, facts: Description, *, may_act: bool) -> str:
    """Changes with whatever the page shows: with the run, who looks, and time as far as that is shown."""
    now_ms = visit.client.transport.now_ms()
    soon = any(
        0 < activity.next_retry_ms - now_ms < COUNTS_DOWN_MS
        for activity in facts.pending_activities
    )
    clock = now_ms // (1_000 if soon else CLOCKS_MS)
    who = (visit.principal.name, may_act)
    seen = (visit.here_unsaid, visit.site.files_version, who, clock, msgspec.to_builtins(facts))
    return hashlib.sha256(msgspec.json.encode(seen)).hexdigest()[:16]


async def download(visit: Visit) -> Response:
    """The log as a file that `streamflow replay` reads."""
    run = await described(visit)
    facts = run.facts
    handle = visit.client.get_workflow_handle(
        facts.workflow_id, run_id=facts.run_id, task_queue=facts.queue
    )
    history = await handle.fetch_history()
    headers = {**HEADERS, "content-disposition": f'attachment; filename="{facts.run_id}.json"'}
    return Response(history.to_json() + "\n", media_type="application/json", headers=headers)


async def described(visit: Visit) -> Run:
    """The run that the address names. Raises `Problem` when it names none."""
    workflow_id, run_id = visit.asked("id"), visit.asked("run")
    if not workflow_id:
        raise Problem(400, "Expected a workflow's ID in the address, found none")
    handle = visit.client.get_workflow_handle(workflow_id, run_id=run_id or None)
    found: WorkflowExecutionDescription = await handle.describe(rpc_timeout=CALL)
    return Run(visit, found.facts, found, Reader.of(visit, workflow_id))


def state_of(facts: Description) -> str:
    """By the name of a chip of the list, so that both say the same."""
    if facts.status is not Status.RUNNING:
        return facts.status.name.lower()
    if facts.trouble is not None:
        return "paused" if facts.trouble.kind == PAUSED else "stuck"
    retried = any(activity.attempt > 1 for activity in facts.pending_activities)
    return "retrying" if retried else "running"


SAID = {
    "started": "The workflow was started.",
    "signal": "The signal was sent.",
    "cancel": "The workflow was asked to stop.",
    "terminate": "The workflow was terminated.",
    "pause": "The workflow was paused.",
    "unpause": "The workflow goes on.",
    "reset": "This run was made by the reset.",
    "retry": "The activity is tried again now.",
}
"""What a page says after a form, by a word of its address: no address can make it say anything else."""


async def _ending(run: Run) -> Ending | None:
    facts = run.facts
    if facts.status is Status.RUNNING:
        return None
    command = AwaitResult(workflow_id=facts.workflow_id, run_id=RunId(facts.run_id))
    ended = expect(await run.visit.client.transport.ask(facts.queue, command), RunResult)
    return Ending(
        await run.reader.value(ended.result),
        await run.reader.causes(ended.failure),
        ended.reason,
        ended.new_run_id or "",
    )


async def _failing(run: Run) -> Sequence[dict[str, Any]]:
    """Pending activities that have failed, for the top of the page."""
    now_ms = run.visit.client.transport.now_ms()
    return [
        {
            "activity": activity,
            "reason": await run.reader.reason(activity.last_failure),
            "in_ms": max(0, activity.next_retry_ms - now_ms) if activity.next_retry_ms else None,
        }
        for activity in run.facts.pending_activities
        if activity.last_failure is not None
    ]


def _current_step(facts: Description) -> str:
    """What it waits for."""
    if facts.status is not Status.RUNNING:
        return ""
    waits = [activity.activity_type for activity in facts.pending_activities]
    waits += [f"{child.workflow_type} {child.workflow_id}" for child in facts.pending_children]
    waits += [
        f"{timer.summary or 'timer'} ({formats.moment(timer.fire_at_ms)})"
        for timer in facts.pending_timers
    ]
    return ", ".join(waits[:3]) + (f" and {len(waits) - 3} more" if len(waits) > 3 else "")


def _labelled(label: str, name: str, facts: Description) -> str:
    count = {"pending": len(facts.pending_activities), "events": facts.history_length}.get(name)
    return f"{label} {count}" if count else label
