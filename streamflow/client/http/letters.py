"""Dead letters over a gateway, in requests that are bounded however many letters are meant."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

import msgspec

from streamflow.client.http import api_v1_letters as api
from streamflow.client.http.transport import HttpTransport
from streamflow.client.http.words import given, quoted
from streamflow.dead_letters import Filter, Letter, LetterId, PutAway
from streamflow.ports import Record
from streamflow.topology import dead_letters_topic

BodyT = TypeVar("BodyT", bound=msgspec.Struct)

DEADLINE_S = 60.0
"""Of one request: the gateway reads the whole topic for it."""


class HttpLetters:
    """The dead letters of a transport's namespace. Every method raises `RPCError` for what cannot be had."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport
        self._path = f"/namespaces/{quoted(transport.namespace)}/dead-letters"

    async def newest(self, wanted: Filter, limit: int | None) -> tuple[list[Letter], int]:
        """The newest, all of them without a limit; and how many there are in all."""
        found: list[Letter] = []
        params = _params(wanted)
        while True:
            left = api.PAGE_MAX if limit is None else min(api.PAGE_MAX, limit - len(found))
            params["page_size"] = str(left)
            page = given(await self._transport.get(self._path, params, api.LettersBody, DEADLINE_S))
            found += (one.letter() for one in page.letters)
            if not page.next_page_token or len(found) == limit:
                return found, page.count
            params["page_token"] = page.next_page_token

    async def one(self, letter_id: LetterId) -> tuple[Letter, Record]:
        path = f"{self._path}/{letter_id.partition}/{letter_id.offset}"
        whole = given(await self._transport.get(path, {}, api.WholeLetterBody, DEADLINE_S))
        letter = whole.letter.letter()
        # Kafka allows headers without a value, whatever their type says.
        headers = tuple((one.name, one.value) for one in whole.headers)
        record = Record(
            dead_letters_topic(self._transport.namespace),
            letter.id.partition,
            letter.id.offset,
            whole.key,
            whole.value,
            headers,  # type: ignore[arg-type]  # as above
            letter.time_ms,
        )
        return letter, record

    async def redrive(
        self,
        ids: Sequence[LetterId],
        *,
        key: str | None = None,
        again: bool = False,
        dry_run: bool = False,
        told: Callable[[int], None] = lambda _: None,
    ) -> list[api.RedrivenLetterBody]:
        """What became of each. ``told`` is called with how many are decided."""
        done: list[api.RedrivenLetterBody] = []
        for some in _pieces(ids):
            body = api.RedriveLettersBody(ids=some, key=key, again=again, dry_run=dry_run)
            done += (await self._post("redrive", body, api.RedrivenLettersBody)).outcomes
            told(len(some))
        return done

    async def purge(self, ids: Sequence[LetterId], *, dry_run: bool = False) -> PutAway:
        done: list[Letter] = []
        below: Mapping[str, int] = {}
        for some in _pieces(ids) if ids else [()]:
            body = api.PurgeLettersBody(ids=some, dry_run=dry_run)
            answer = await self._post("purge", body, api.PurgedLettersBody)
            done += (one.letter() for one in answer.letters)
            below = answer.closed_below
        return PutAway(letters=tuple(done), closed_below=below)

    async def require(self, ids: Sequence[LetterId]) -> None:
        """Raises `RPCError` (NOT_FOUND) if one is missing, where a later request than the first would notice."""
        if len(ids) <= api.IDS_MAX:
            return
        for some in _pieces(ids):
            body = api.RedriveLettersBody(ids=some, dry_run=True)
            await self._post("redrive", body, api.RedrivenLettersBody)

    async def _post(self, verb: str, body: msgspec.Struct, cls: type[BodyT]) -> BodyT:
        message_id = secrets.token_hex(16)
        path = f"{self._path}/{verb}"
        return given(await self._transport.post(path, {}, body, cls, DEADLINE_S, message_id))


def _pieces(ids: Sequence[LetterId]) -> Iterator[tuple[str, ...]]:
    for begin in range(0, len(ids), api.IDS_MAX):
        yield tuple(str(one) for one in ids[begin : begin + api.IDS_MAX])


def _params(wanted: Filter) -> dict[str, str]:
    said = {
        "reason": "" if wanted.reason is None else wanted.reason.value,
        "text": wanted.text,
        "queue": wanted.queue,
        "workflow_id": wanted.workflow_id,
        "since_ms": str(wanted.since_ms) if wanted.since_ms else "",
        "state": "all" if wanted.state is None else wanted.state.value,
    }
    return {name: value for name, value in said.items() if value}
