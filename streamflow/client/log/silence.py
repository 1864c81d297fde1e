"""What is known of a partition that gave no answer: who has it, and since when nobody does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from streamflow import topology
from streamflow.client.log.patience import blocking
from streamflow.ports import TopicPartition
from streamflow.service import RPCError
from streamflow.wire.offset_note import OffsetNote, read_note

if TYPE_CHECKING:
    from streamflow.client.log.requests import Pending
    from streamflow.ports import Log

LOOK_S = 3.0
"""So long a caller whose deadline has passed waits to hear more than that it has passed."""


class Known(NamedTuple):
    """What the group's coordinator says of one partition."""

    owner: str
    """Whom the group has given it to; empty if to nobody."""
    last: OffsetNote | None
    """What the last transaction of the partition left, if there ever was one."""


async def look(log: Log, namespace: str, queue: str, inbox: TopicPartition) -> Known | None:
    """``None`` when the coordinator does not say."""
    group = topology.processor_group(namespace, queue)

    def ask() -> Known:
        owner = log.owners(group).get(inbox, "")
        return Known(owner, read_note(log.positions(group, [inbox])[inbox]))

    try:
        return await asyncio.wait_for(blocking(log, ask), LOOK_S)
    except (RPCError, TimeoutError):
        return None


def told(pending: Pending, live: frozenset[str] | RPCError, known: Known | None) -> str:
    """The message of a deadline that passed. ``live`` are the queue's processors, or why they could not be asked for."""
    route, command = pending.route, pending.command
    place = f"partition {route.partition_of(command.workflow_id)} of {route.topic}"
    text = (
        f"Expected an answer to {type(command).__name__} of workflow {command.workflow_id!r} in time, found none from "
        f"{place}, {_ownership(live, known)}."
    )
    if pending.error is not None:
        text += f" The log's last word: {pending.error}"
    if pending.durable:
        text += " The command is in the log and may still take effect."
    return text


def _ownership(live: frozenset[str] | RPCError, known: Known | None) -> str:
    if known is not None and known.owner:
        return f"which {known.owner!r} owns: it may be restoring, busy, or dead for less than its session{_last(known)}"
    since = "" if known is None else _without_owner(known)
    if isinstance(live, RPCError):
        return f"and its processors could not be asked for{since} ({live})"
    if live:
        names = ", ".join(sorted(live))
        return f"which has no owner now{since}, though the queue has live processors ({names}): they may be sharing out"
    return f"which has no owner{since}: the queue has no live processor. Start a Worker or `streamflow worker` for it"


def _last(known: Known) -> str:
    """When the owner, or one before it, last did something there."""
    if known.last is None or not known.last.at_ms:
        return ""
    return f" (last transaction at {_time(known.last.at_ms)})"


def _without_owner(known: Known) -> str:
    """Since when there is none: exactly after a hand-over, else not before the last that was done."""
    match known.last:
        case None:
            return " and never had one"
        case OffsetNote(at_ms=0):
            return ""
        case OffsetNote(owner="", at_ms=at_ms):
            return f" since {_time(at_ms)}, when it was handed over"
        case OffsetNote(owner=owner, at_ms=at_ms):
            return f" since some time after {_time(at_ms)}, when {owner!r} did its last transaction"


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1_000, UTC).isoformat(timespec="milliseconds")
