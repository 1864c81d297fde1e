"""Dead letters over HTTP: the operations, and their routes."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TypeVar

from starlette.requests import Request

from streamflow import dead_letters
from streamflow.client.http import api_v1_letters as api
from streamflow.dead_letters import Filter, LetterId, Place, Reason, State
from streamflow.gateway.letters import Letters
from streamflow.gateway.operations import Operations, Reply
from streamflow.gateway.requests import BadRequest, number_in, read
from streamflow.gateway.routing import NAMESPACE, Parameter, Route

EnumT = TypeVar("EnumT", bound=Enum)

_TIME_MAX = 2**53


async def list_letters(operations: Operations, request: Request) -> Reply:
    said = request.query_params
    state = said.get("state", State.OPEN.value)
    wanted = Filter(
        reason=_one_of(Reason, "reason", said["reason"]) if said.get("reason") else None,
        text=said.get("text", ""),
        queue=said.get("queue", ""),
        workflow_id=said.get("workflow_id", ""),
        since_ms=number_in(request, "since_ms", default=0, most=_TIME_MAX),
        state=None if state == "all" else _one_of(State, "state", state, "all"),
    )
    limit = number_in(request, "page_size", default=100, most=api.PAGE_MAX)
    if limit == 0:
        raise BadRequest(f"Expected page_size from 1 to {api.PAGE_MAX}, found 0")
    letters = Letters(operations.transport(request))
    page = await letters.newest(wanted, limit=limit, after=_place(said.get("page_token", "")))
    return api.LettersBody(
        letters=tuple(map(api.LetterBody.of, page.letters)),
        count=page.count,
        next_page_token="" if page.after is None else str(page.after),
    )


async def show_letter(operations: Operations, request: Request) -> Reply:
    place = request.path_params
    letter_id = _letter_id(f"{place['partition']}/{place['offset']}")
    letter, record = await Letters(operations.transport(request)).one(letter_id)
    said = dead_letters.read_as(letter, record)
    return api.WholeLetterBody.of(letter, record, said, dead_letters.advice(letter))


async def redrive_letters(operations: Operations, request: Request) -> Reply:
    body = await read(request, api.RedriveLettersBody)
    letters, ids = Letters(operations.transport(request)), _ids(body.ids)

    async def redrive() -> Reply:
        outcomes = await letters.redrive(ids, key=body.key, again=body.again, dry_run=body.dry_run)
        return api.RedrivenLettersBody(outcomes=tuple(map(api.RedrivenLetterBody.of, outcomes)))

    return await operations.once(request, redrive)


async def purge_letters(operations: Operations, request: Request) -> Reply:
    body = await read(request, api.PurgeLettersBody)
    letters, ids = Letters(operations.transport(request)), _ids(body.ids)

    async def purge() -> Reply:
        done = await letters.discard(ids, dry_run=body.dry_run)
        return api.PurgedLettersBody(
            letters=tuple(map(api.LetterBody.of, done.letters)), closed_below=done.closed_below
        )

    return await operations.once(request, purge)


def _ids(texts: Sequence[str]) -> frozenset[LetterId]:
    if len(texts) > api.IDS_MAX:
        raise BadRequest(
            f"Expected at most {api.IDS_MAX} IDs, found {len(texts)}: send the rest in further requests"
        )
    return frozenset(map(_letter_id, texts))


def _letter_id(text: str) -> LetterId:
    try:
        return LetterId.parse(text)
    except ValueError as error:
        raise BadRequest(str(error)) from error


def _place(token: str) -> Place | None:
    try:
        return Place.parse(token) if token else None
    except ValueError as error:
        raise BadRequest(
            f"Expected page_token as the page before gave it, found {token[:100]!r}"
        ) from error


def _one_of(kind: type[EnumT], name: str, text: str, *more: str) -> EnumT:
    try:
        return kind(text)
    except ValueError:
        known = ", ".join([*(str(one.value) for one in kind), *more])
        raise BadRequest(f"Expected {name} as one of {known}, found {text[:100]!r}") from None


_LETTERS = NAMESPACE + "/dead-letters"

LETTER_ROUTES: tuple[Route, ...] = (
    Route(
        name="list_dead_letters",
        method="GET",
        path=_LETTERS,
        about="A page of the dead letters that all filters find, newest first.",
        operation=list_letters,
        answers=(api.LettersBody,),
        parameters=(
            Parameter("state", "open, redriven, discarded, or all; open when left out."),
            Parameter("reason", f"One of {', '.join(reason.value for reason in Reason)}."),
            Parameter("text", "Stands in the message, whatever the case."),
            Parameter("queue", "The record was in a topic of this task queue."),
            Parameter("workflow_id", "The workflow that it was for."),
            Parameter("since_ms", "Only those younger than this time.", "integer"),
            Parameter(
                "page_size", "Letters of a page, 1,000 at most; 100 when left out.", "integer"
            ),
            Parameter("page_token", "Where the page before ended."),
        ),
    ),
    Route(
        name="show_dead_letter",
        method="GET",
        path=_LETTERS + "/{partition}/{offset}",
        about="A dead letter with its record, what that says, and what to do about it.",
        operation=show_letter,
        answers=(api.WholeLetterBody,),
    ),
    Route(
        name="redrive_dead_letters",
        method="POST",
        path=_LETTERS + "/redrive",
        about="Sends dead letters once more to the topics that they came from, and says of each what became of it.",
        operation=redrive_letters,
        body=api.RedriveLettersBody,
        answers=(api.RedrivenLettersBody,),
    ),
    Route(
        name="purge_dead_letters",
        method="POST",
        path=_LETTERS + "/purge",
        about="Puts open dead letters away, unsent.",
        operation=purge_letters,
        body=api.PurgeLettersBody,
        answers=(api.PurgedLettersBody,),
    ),
)
