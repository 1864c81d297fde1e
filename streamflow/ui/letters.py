"""Dead letters: what could not be taken, why, and what to do about it; re-driven or put away one by one.

They are read from the log itself, so only where this process has one.
"""

from __future__ import annotations

import json

from starlette.responses import Response

from streamflow import dead_letters
from streamflow.dead_letters import Filter, LetterId, LettersPage, State
from streamflow.gateway.access import Role
from streamflow.gateway.letters import Letters
from streamflow.service import RPCError, RPCStatusCode
from streamflow.ui import shell
from streamflow.ui.payloads import cut
from streamflow.ui.site import Problem, Visit, requires

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
    found = await _newest(visit, wanted)
    return visit.page(
        "letters.html",
        letters=found.letters,
        count=found.count,
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
    letter_id = _letter_id(visit)
    letters = Letters(visit.client.transport)
    match sent.get("do", ""):
        case "redrive":
            outcomes = await letters.redrive([letter_id])
            refusal = next((one.refusal for one in outcomes if one.refusal), "")
            if refusal:
                return await _shown(visit, refusal=refusal)
        case "discard":
            await letters.discard([letter_id])
        case do:
            raise Problem(404, f"Expected redrive or discard, found {do!r}")
    return visit.go(visit.link("letter", id=str(letter_id)))


async def _shown(visit: Visit, *, refusal: str = "") -> Response:
    letter, record = await Letters(visit.client.transport).one(_letter_id(visit))
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


def _letter_id(visit: Visit) -> LetterId:
    try:
        return LetterId.parse(visit.asked("id"))
    except ValueError as error:
        raise Problem(400, str(error)) from error


async def _newest(visit: Visit, wanted: Filter) -> LettersPage:
    try:
        return await Letters(visit.client.transport).newest(wanted, limit=SHOWN_MAX)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return LettersPage(letters=(), count=0)  # nothing was ever started here
        raise
