"""Dead letters for whoever a transport is: the API and the pages list, show, re-drive and put them away by this."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from streamflow import dead_letters
from streamflow.client.transport import Transport
from streamflow.dead_letters import (
    Filter,
    Letter,
    LetterId,
    LetterMissing,
    LettersPage,
    Outcome,
    Place,
    PutAway,
)
from streamflow.gateway import logs
from streamflow.gateway.access.guarded import noting, require
from streamflow.gateway.access.roles import Role
from streamflow.ports import Log, Record
from streamflow.service import RPCError, RPCStatusCode

T = TypeVar("T")


class Letters:
    """Those of the transport's namespace. Reading takes the role viewer, all else operator.

    Every method raises `RPCError`: PERMISSION_DENIED, NOT_FOUND for a letter or topic that is not there, FAILED_PRECONDITION
    where this process has no log, UNAVAILABLE where that does not answer.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._namespace = transport.namespace

    async def newest(
        self, wanted: Filter, *, limit: int, after: Place | None = None
    ) -> LettersPage:
        require(self._transport, Role.VIEWER)
        return await self._asked(
            lambda log: dead_letters.newest(log, self._namespace, wanted, limit=limit, after=after)
        )

    async def one(self, letter_id: LetterId) -> tuple[Letter, Record]:
        require(self._transport, Role.VIEWER)
        return await self._asked(
            lambda log: dead_letters.read_letter(log, self._namespace, letter_id)
        )

    async def redrive(
        self,
        ids: Collection[LetterId],
        *,
        key: str | None = None,
        again: bool = False,
        dry_run: bool = False,
    ) -> Sequence[Outcome]:
        """What became of each, in the order of the log. A dry run sends nothing, and is not noted."""

        def send(log: Log) -> Sequence[Outcome]:
            letters = dead_letters.named(log, self._namespace, ids)
            return dead_letters.redrive(
                log, self._namespace, letters, key=key, again=again, dry_run=dry_run
            )

        if dry_run:
            require(self._transport, Role.OPERATOR)
            return await self._asked(send)
        details = {"letter": _said(ids), **({} if key is None else {"key": key})}
        async with noting(
            self._transport, "RedriveDeadLetter", Role.OPERATOR, **details
        ) as attempt:
            outcomes = await self._asked(send)
            refused = [one.letter.id for one in outcomes if one.record is None]
            if attempt is not None and refused:
                attempt.details = {**attempt.details, "not": _said(refused)}
                if len(refused) == len(outcomes):
                    attempt.outcome = "refused: not_redriven"
        return outcomes

    async def discard(self, ids: Collection[LetterId], *, dry_run: bool = False) -> PutAway:
        """Puts the open ones of these away. A dry run only says which."""

        def put_away(log: Log) -> PutAway:
            letters = dead_letters.named(log, self._namespace, ids)
            return dead_letters.put_away(log, self._namespace, letters, dry_run=dry_run)

        if dry_run:
            require(self._transport, Role.OPERATOR)
            return await self._asked(put_away)
        async with noting(self._transport, "DiscardDeadLetter", Role.OPERATOR, letter=_said(ids)):
            return await self._asked(put_away)

    async def _asked(self, ask: Callable[[Log], T]) -> T:
        def found(log: Log) -> T:
            try:
                return ask(log)
            except LetterMissing as error:
                raise RPCError(str(error), RPCStatusCode.NOT_FOUND) from error

        return await logs.asked(self._transport, "Dead letters", found)


def _said(ids: Collection[LetterId]) -> str:
    return ", ".join(str(one) for one in sorted(ids))
