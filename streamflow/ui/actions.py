"""What can be done to a run: each is a form with what it needs, and the same as a command for a shell.

A form's page says what will happen; sending it does it, and leads back to the run. What is refused is said on the form, with
what was typed still in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from starlette.responses import Response

from streamflow.client import (
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from streamflow.gateway.access import Role
from streamflow.service import RPCError
from streamflow.ui import arguments, shell
from streamflow.ui.execution import described
from streamflow.ui.payloads import Shown, cut
from streamflow.ui.site import HTTP_OF_STATUS, Problem, Visit
from streamflow.ui.tabs import Run, as_json_text, metadata

Handle = WorkflowHandle[Any, Any]
CALL = timedelta(seconds=10)
UPDATE = timedelta(seconds=20)
"""How long a page waits for an update's outcome; the update itself goes on."""


@dataclass(frozen=True)
class Field:
    """A box of a form."""

    name: str
    label: str
    kind: Literal["text", "name", "values", "yes", "hidden"] = "text"
    hint: str = ""


@dataclass(frozen=True)
class Outcome:
    """Where to go on: another run, or the form's own page with what the code answered."""

    run_id: str = ""
    answer: Shown | None = None


@dataclass(frozen=True)
class Action:
    """Something to do, by the word that stands for it in addresses."""

    word: str
    title: str
    button: str
    about: str
    fields: Sequence[Field]
    perform: Callable[[Handle, Mapping[str, str]], Awaitable[Outcome]]
    command: Callable[[Run, Mapping[str, str]], str]
    danger: bool = False


async def form(visit: Visit) -> Response:
    """The form of the action that ``do`` names."""
    action = _action(visit)
    run = await described(visit)
    await visit.require_for(Role.OPERATOR, run.facts.workflow_id)
    given = {field.name: visit.asked(field.name) for field in action.fields}
    given |= {field.name: "yes" for field in action.fields if field.kind == "yes"}
    return await _page(run, action, given)


async def perform(visit: Visit) -> Response:
    """Does it."""
    action = _action(visit)
    run = await described(visit)
    sent = await visit.form()
    given = {field.name: sent.get(field.name, "").strip() for field in action.fields}
    facts = run.facts
    # Queues are not guessed, and a run that follows this one is not hit in its place.
    handle = visit.client.get_workflow_handle(
        facts.workflow_id, run_id=facts.run_id, task_queue=facts.queue
    )
    try:
        outcome = await action.perform(handle, given)
    except arguments.Refused as error:
        return await _page(run, action, given, refusal=str(error), status_code=400)
    except WorkflowUpdateRPCTimeoutOrCancelledError:
        why = (
            f"The update has no outcome after {UPDATE.seconds} s. It goes on: look at the history."
        )
        return await _page(run, action, given, refusal=why, status_code=504)
    except RPCError as error:
        code = HTTP_OF_STATUS.get(error.status, 503)
        return await _page(run, action, given, refusal=error.message, status_code=code)
    except WorkflowUpdateFailedError as error:
        why = f"The update was refused or failed: {error.cause}"
        return await _page(run, action, given, refusal=why, status_code=409)
    if outcome.answer is not None:
        return await _page(run, action, given, answer=outcome.answer)
    run_id = outcome.run_id or facts.run_id
    return visit.go(visit.link("workflow", id=facts.workflow_id, run=run_id, said=action.word))


async def _page(
    run: Run,
    action: Action,
    given: Mapping[str, str],
    *,
    refusal: str = "",
    answer: Shown | None = None,
    status_code: int = 200,
) -> Response:
    return run.visit.page(
        "action.html",
        status_code=status_code,
        run=run.facts,
        back=run.link("history"),
        action=action,
        given=given,
        names=await _names(run, action),
        refusal=refusal,
        answer=answer,
        command=action.command(run, given),
    )


async def _names(run: Run, action: Action) -> Sequence[Any]:
    """Signals or updates that the code has, to choose from; none if the code does not answer now."""
    if not any(field.kind == "name" for field in action.fields):
        return ()
    try:
        found = (await metadata(run)).definition
    except (RPCError, WorkflowQueryFailedError):
        return ()
    definitions = found.signal_definitions if action.word == "signal" else found.update_definitions
    return [one for one in definitions if one.name and not one.name.startswith("__")]


def _action(visit: Visit) -> Action:
    word = visit.asked("do")
    action = ACTIONS.get(word)
    if action is None:
        raise Problem(404, f"Expected one of {', '.join(ACTIONS)}, found {word!r}")
    return action


# -- what each does -------------------------------------------------------------------------------------------------


async def _signal(handle: Handle, given: Mapping[str, str]) -> Outcome:
    name = _needed(given, "name", "the signal's name")
    await handle.signal(name, args=arguments.values(given["args"]), rpc_timeout=CALL)
    return Outcome()


async def _update(handle: Handle, given: Mapping[str, str]) -> Outcome:
    name = _needed(given, "name", "the update's name")
    args = arguments.values(given["args"])
    found = await handle.execute_update(name, args=args, rpc_timeout=UPDATE)
    return Outcome(answer=cut(as_json_text(found)))


async def _cancel(handle: Handle, given: Mapping[str, str]) -> Outcome:
    await handle.cancel(reason=given["reason"], rpc_timeout=CALL)
    return Outcome()


async def _terminate(handle: Handle, given: Mapping[str, str]) -> Outcome:
    await handle.terminate(reason=given["reason"], rpc_timeout=CALL)
    return Outcome()


async def _pause(handle: Handle, given: Mapping[str, str]) -> Outcome:
    await handle.pause(reason=given["reason"], rpc_timeout=CALL)
    return Outcome()


async def _unpause(handle: Handle, _given: Mapping[str, str]) -> Outcome:
    await handle.unpause(rpc_timeout=CALL)
    return Outcome()


async def _reset(handle: Handle, given: Mapping[str, str]) -> Outcome:
    seq = _needed(given, "seq", "an event's number")
    if not (seq.isascii() and seq.isdigit() and int(seq) > 0):
        raise arguments.Refused(f"Expected an event's number, found {seq!r}")
    fresh = await handle.reset(
        seq=int(seq),
        reapply_signals=given["signals"] == "yes",
        reason=given["reason"],
        rpc_timeout=CALL,
    )
    return Outcome(run_id=fresh.run_id or "")


async def _retry(handle: Handle, given: Mapping[str, str]) -> Outcome:
    await handle.reset_activity(given["activity"], rpc_timeout=CALL)
    return Outcome()


async def _pause_activity(handle: Handle, given: Mapping[str, str]) -> Outcome:
    await handle.pause_activity(given["activity"], reason=given["reason"], rpc_timeout=CALL)
    return Outcome()


async def _unpause_activity(handle: Handle, given: Mapping[str, str]) -> Outcome:
    await handle.unpause_activity(given["activity"], rpc_timeout=CALL)
    return Outcome()


def _needed(given: Mapping[str, str], name: str, what: str) -> str:
    if not given[name]:
        raise arguments.Refused(f"Expected {what}, found nothing")
    return given[name]


def _command(
    verb: str, *names: str, group: str = "workflow", options: Mapping[str, str] | None = None
) -> Callable[[Run, Mapping[str, str]], str]:
    """The command, with these fields as arguments and those as options."""

    def made(run: Run, given: Mapping[str, str]) -> str:
        words = [given[name] or name.upper() for name in names]
        more = [
            (option, given[name])
            for name, option in {"reason": "--reason", **(options or {})}.items()
            if given.get(name)
        ]
        more += [("--input", value) for value in shell.inputs(given.get("args", ""))]
        if given.get("signals") == "":
            more.append(("--no-reapply-signals", ""))
        facts = run.facts
        return shell.about(
            group, verb, run.visit.namespace, facts.workflow_id, facts.run_id, words, more
        )

    return made


_NAME = Field("name", "Name", "name")
_ARGS = Field("args", "Arguments", "values", "One JSON value on each line; text stands in quotes.")
_REASON = Field("reason", "Reason", "text", "For the history.")
_ACTIVITY = Field("activity", "Activity", "hidden")
_OF_ACTIVITY = {"activity": "--activity-id"}

ACTIONS: Mapping[str, Action] = {
    action.word: action
    for action in (
        Action(
            "signal",
            "Signal",
            "Send signal",
            "The workflow's code is told; once sent, a signal is never lost.",
            (_NAME, _ARGS),
            _signal,
            _command("signal", "name"),
        ),
        Action(
            "update",
            "Update",
            "Send update",
            "The workflow's code is asked to change something, and answers.",
            (_NAME, _ARGS),
            _update,
            _command("update", "name"),
        ),
        Action(
            "cancel",
            "Cancel",
            "Ask it to stop",
            "The workflow's code is asked to stop. It may clean up first, or refuse.",
            (_REASON,),
            _cancel,
            _command("cancel"),
        ),
        Action(
            "terminate",
            "Terminate",
            "Terminate now",
            "The run ends at once. Its code does not run any more, so nothing is cleaned up.",
            (_REASON,),
            _terminate,
            _command("terminate"),
            danger=True,
        ),
        Action(
            "pause",
            "Pause",
            "Pause",
            "The workflow's code is held back. Signals wait, timers fire, and activities go on meanwhile.",
            (_REASON,),
            _pause,
            _command("pause"),
        ),
        Action(
            "unpause",
            "Go on",
            "Go on",
            "The workflow's code goes on with everything that has come meanwhile.",
            (),
            _unpause,
            _command("unpause"),
        ),
        Action(
            "reset",
            "Reset",
            "Reset",
            "A new run is made that has done what this one had before the step of the event; that step is made anew. "
            "An open run is terminated.",
            (
                Field("seq", "Event", "text", "As the history numbers it."),
                Field("signals", "Give signals that came later to the new run", "yes"),
                _REASON,
            ),
            _reset,
            _command("reset", options={"seq": "--event"}),
            danger=True,
        ),
        Action(
            "retry",
            "Retry now",
            "Retry now",
            "What waits for its next attempt begins it at once, and attempts are counted from 1 again.",
            (_ACTIVITY,),
            _retry,
            _command("reset", group="activity", options=_OF_ACTIVITY),
        ),
        Action(
            "pause-activity",
            "Pause activity",
            "Pause activity",
            "No further attempt is begun. One that runs may end.",
            (_ACTIVITY, _REASON),
            _pause_activity,
            _command("pause", group="activity", options=_OF_ACTIVITY),
        ),
        Action(
            "unpause-activity",
            "Let the activity go on",
            "Go on",
            "What waits is sent at once.",
            (_ACTIVITY,),
            _unpause_activity,
            _command("unpause", group="activity", options=_OF_ACTIVITY),
        ),
    )
}
