"""Dead letters: what could not be taken, why, and what to do about it; re-driven or put away one by one.

They are read from the log itself, so only where this process has one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TypeVar

from starlette.responses import Response

from streamflow import dead_letters
from streamflow.dead_letters import Filter, Letter, LetterId, LetterMissing, State
from streamflow.gateway.access import Role
from streamflow.ports import Log, Record, TopicMissing
from streamflow.ui import logs, shell
from streamflow.ui.payloads import cut
from streamflow.ui.site import Problem, Visit, requires

T = TypeVar("T")
SHOWN_MAX = 100
"""Letters of the list, the newest; the command line has all of them."""


@requires(Role.VIEWER)
async def page(visit: Visit) -> Response:
    """The newest letters in the state that ``state`` names, the open ones without it."""
    name = visit.asked("state") or State.OPEN.value
    known = {state.value: state for state in State} | {"all": None}
    if name not in known:
        raise Problem(404, f"Expected one of {', '.join(known)}, found {name!r}")
    wanted = Filter(state=known[name], text=visit.asked("text"))
    found = await _asked(visit, lambda log: _found(log, visit.namespace, wanted))
    found.sort(key=lambda letter: letter.time_ms, reverse=True)
    return visit.page(
        "letters.html",
        letters=found[:SHOWN_MAX],
        count=len(found),
        states=[(one, visit.link("letters", state=one), one == name) for one in known],
        state=name,
        text=visit.asked("text"),
        command=shell.list_letters(visit.namespace, name, visit.asked("text")),
    )


@requires(Role.VIEWER)
async def one(visit: Visit) -> Response:
    return await _shown(visit)


@requires(Role.OPERATOR)
async def perform(visit: Visit) -> Response:
    """Sends the letter's record once more, or puts the letter away."""
    sent = await visit.form()
    letter, _ = await _named(visit)
    match sent.get("do", ""):
        case "redrive":
            async with visit.noting("RedriveDeadLetter", Role.OPERATOR, letter=str(letter.id)):
                outcomes = await _asked(
                    visit, lambda log: dead_letters.redrive(log, visit.namespace, [letter])
                )
            refusal = next((one.refusal for one in outcomes if one.refusal), "")
            if refusal:
                return await _shown(visit, refusal=refusal)
        case "discard":
            async with visit.noting("DiscardDeadLetter", Role.OPERATOR, letter=str(letter.id)):
                await _asked(
                    visit, lambda log: dead_letters.discard(log, visit.namespace, [letter])
                )
        case do:
            raise Problem(404, f"Expected redrive or discard, found {do!r}")
    return visit.go(visit.link("letter", id=str(letter.id)))


async def _shown(visit: Visit, *, refusal: str = "") -> Response:
    letter, record = await _named(visit)
    contents = dead_letters.read_as(letter, record)
    text = (record.value or b"").decode("utf-8", "replace")
    return visit.page(
        "letter.html",
        status_code=409 if refusal else 200,
        letter=letter,
        advice=dead_letters.advice(letter),
        refusal=refusal,
        kind=contents[0] if contents else "",
        contents=cut(json.dumps(contents[1], indent=2, ensure_ascii=False) if contents else text),
        first=str(letter.first) if letter.first else "",
        command=shell.show_letter(visit.namespace, str(letter.id)),
    )


async def _named(visit: Visit) -> tuple[Letter, Record]:
    try:
        letter_id = LetterId.parse(visit.asked("id"))
    except ValueError as error:
        raise Problem(400, str(error)) from error
    try:
        return await _asked(
            visit, lambda log: dead_letters.read_letter(log, visit.namespace, letter_id)
        )
    except (LetterMissing, TopicMissing) as error:
        raise Problem(404, str(error)) from error


def _found(log: Log, namespace: str, wanted: Filter) -> list[Letter]:
    try:
        return dead_letters.find_letters(log, namespace, wanted)
    except TopicMissing:
        return []  # nothing was ever started here


async def _asked(visit: Visit, ask: Callable[[Log], T]) -> T:
    return await logs.asked(visit, "Dead letters", ask)
