"""Time travel: a run's history step by step, each with the events, the stack, and what the code holds there.

Steps are made by `streamflow.timetravel`; here is what pages show of them. A page reads the history no further than its step
needs, so a long one opens as fast as a short one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from streamflow.client.history.file import event_to_json
from streamflow.gateway.access import Role
from streamflow.model.events import Activated, Recorded
from streamflow.processor.payloads.codec import CodecFailed
from streamflow.timetravel import Log, NoCode, Travels, Trouble, Unfinished, View
from streamflow.timetravel.code import short_file
from streamflow.ui import arguments
from streamflow.ui.history import events_after
from streamflow.ui.payloads import Reader
from streamflow.ui.telling import EMPTY, about, values_of

if TYPE_CHECKING:
    from streamflow.ui.site import Visit
    from streamflow.ui.tabs import Run

OPENS_AT_END_MAX = 5_000
"""Events of a history that opens at its last step; a longer one opens at its first, which is sooner made."""
READ_FIRST = 200
"""Events that are read at once; then twice as many each time, to ..."""
READ_AT_ONCE_MAX = 6_400
EVENTS_SHOWN_MAX = 100
"""Of one step, of each kind."""

Link = Callable[[int], str]


@dataclass(frozen=True)
class Told:
    """An event of a step, as a page shows it."""

    recorded: Recorded
    type: str
    about: str
    place: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Version:
    """Steps that follow each other and were made by one version of the code."""

    name: str
    """``deployment.build``, or the build alone; empty where the worker had none."""
    first: int
    last: int
    link: str


async def travel(visit: Visit, run: Run) -> dict[str, Any]:
    """The step of the address; without one the latest, which is followed."""
    facts = run.facts
    travels = visit.site.travels
    allowed = await visit.may_for(Role.OPERATOR, facts.workflow_id)
    if not (allowed and visit.site.may_travel(visit)):
        return refused("Expected a role that may see what the code holds (operator), found none")
    if travels is None:
        return refused(
            "Expected workflow code behind these pages, found none: a gateway has none, and `streamflow dev` shows what it "
            "holds on the loopback address alone. Download the log: `streamflow replay FILE MODULE:APP --web` steps through it"
        )
    total = (await _last_event(visit, run)).step
    if facts.closed_ms == 0 and facts.trouble is not None:
        total += 1  # the step that did not end well, and so was not recorded: it is attempted here
    if not total:
        return refused("The code has not run yet.")
    pinned = bool(visit.asked("step"))
    number = arguments.number(visit.asked("step"), "step") if pinned else 0
    if not number:
        number = total if facts.history_length <= OPENS_AT_END_MAX else 1
    number = min(number, total)
    log = travels.log_of(visit.namespace, facts.run_id) or Log(facts.workflow_id, facts.run_id)
    new = await _read(visit, run, log, number)
    return await told(
        travels=travels,
        namespace=visit.namespace,
        log=log,
        new=new,
        number=number,
        total=total,
        reader=run.reader,
        link=lambda step: run.link("travel", step=step),
        follow=run.link("travel"),
        is_followed=not pinned and number == total and facts.closed_ms == 0,
        form={"id": facts.workflow_id, "run": facts.run_id, "view": "travel"},
        action=visit.link("workflow"),
    )


async def told(
    *,
    travels: Travels,
    namespace: str,
    log: Log,
    new: Sequence[Recorded],
    number: int,
    total: int,
    reader: Reader,
    link: Link,
    follow: str,
    is_followed: bool,
    form: dict[str, str],
    action: str,
) -> dict[str, Any]:
    """What the template of a step needs. What keeps the code from being looked at is told; its events are shown anyway."""
    view: View | None = None
    refusal, again = "", False
    try:
        view = await travels.view(namespace, log, new, number)
    except (NoCode, CodecFailed, ValueError) as error:
        refusal = str(error)
    except Unfinished as error:
        refusal, again = str(error), True
    trouble = view.trouble if view is not None else None
    is_attempt = number > len(log.steps)
    inputs: Sequence[Recorded]
    if is_attempt:
        inputs, outcomes, now_ms = log.waiting(), [], log.events[-1].time_ms
    else:
        step = log.steps[number - 1]
        activated = step.activated.event
        assert isinstance(activated, Activated), activated
        inputs, outcomes, now_ms = step.inputs, step.outcomes, activated.now_ms
    versions = _versions(log, number, link)
    names = _names_of_operations(log, number)
    shown: dict[str, Any] = {
        "said_instead": "",
        "number": number,
        "total": total,
        "first": link(1) if number > 1 else "",
        "before": link(number - 1) if number > 1 else "",
        "following": link(number + 1) if number < total else "",
        "final": link(total) if number < total else "",
        "here": link(number),
        "follow": follow,
        "is_followed": is_followed,
        "form": form,
        "action": action,
        "now_ms_there": now_ms,
        "versions": versions if any(one.name for one in versions) else (),
        "has_code": view is not None,
        "loaded": "" if view is None else travels.version_of(namespace, log.started.workflow_type),
        "is_attempt": is_attempt,
        "would_ask": view.asked if view is not None else (),
        "came": await _all_told(reader, inputs, names),
        "asked": await _all_told(reader, outcomes, names),
        "after": await _all_told(
            reader, log.events_after(number) if number == total and not is_attempt else (), names
        ),
        "counts": (len(inputs), len(outcomes)),
        "state": view.state if view is not None else None,
        "trouble": trouble,
        "expected": await _all_told(reader, trouble.expected if trouble else (), names),
        "trouble_link": link(trouble.step) if trouble and trouble.step != number else "",
        "last_good": link(trouble.step - 1) if trouble and trouble.step > 1 else "",
        "refusal": refusal,
        "again": again,
        "short_file": short_file,
        "trouble_title": _title(trouble),
    }
    return {"travel": shown}


def _versions(log: Log, number: int, link: Link) -> list[Version]:
    """Which versions made the steps up to this one, as their workers wrote them."""
    found: list[Version] = []
    for at, step in enumerate(log.steps[:number], start=1):
        activated = step.activated.event
        assert isinstance(activated, Activated), activated
        deployment, build = activated.deployment, activated.build_id
        name = f"{deployment}.{build}" if deployment else build
        if found and found[-1].name == name:
            found[-1] = replace(found[-1], last=at)
        else:
            found.append(Version(name, at, at, link(at)))
    return found


def refused(text: str) -> dict[str, Any]:
    return {"travel": {"said_instead": text}}


def _title(trouble: Trouble | None) -> str:
    match trouble.kind if trouble else "":
        case "nondeterminism":
            return "Today's code does not do what the history says"
        case "raised":
            return "Today's code raises an exception here"
        case "limit":
            return "Today's code does not come to rest here"
        case _:
            return ""


async def _last_event(visit: Visit, run: Run) -> Recorded:
    found = await events_after(visit, run.facts, max(0, run.facts.history_length - 1), 1)
    return found[-1]


async def _read(visit: Visit, run: Run, log: Log, number: int) -> Sequence[Recorded]:
    """The events that the log lacks for this step: up to the beginning of the next one, or the end."""
    if len(log.steps) > number:
        return ()
    found: list[Recorded] = []
    after, count = log.last_seq, READ_FIRST
    while True:
        page = await events_after(visit, run.facts, after, count)
        count = min(2 * count, READ_AT_ONCE_MAX)
        found += page
        after += len(page)
        if not page or page[-1].step > number or after >= run.facts.history_length:
            return found


async def _all_told(
    reader: Reader, events: Sequence[Recorded], names: dict[int, str]
) -> Sequence[Told]:
    return [await _told(reader, recorded, names) for recorded in events[:EVENTS_SHOWN_MAX]]


async def _told(reader: Reader, recorded: Recorded, names: dict[int, str]) -> Told:
    body = event_to_json(recorded)
    fields = {name: value for name, value in body["event"].items() if value not in EMPTY}
    return Told(
        recorded,
        body["type"],
        about(fields) or names.get(fields.get("op", 0), ""),
        str(fields.get("place", "")),
        await values_of(reader, recorded.event),
    )


def _names_of_operations(log: Log, number: int) -> dict[int, str]:
    """What events that tell only an operation's number are about."""
    found: dict[int, str] = {}
    for step in log.steps[:number]:
        for recorded in step.outcomes:
            op: int = getattr(recorded.event, "op", 0)
            if op and op not in found:
                event: Any = recorded.event
                for name in ("activity_type", "workflow_type", "signal_name", "summary"):
                    if getattr(event, name, ""):
                        found[op] = str(getattr(event, name))
                        break
    return found
