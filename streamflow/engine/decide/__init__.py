"""What a command means for a run: the facts that follow from it, or a refusal. Pure, and without effects of its own.

One file per kind of asking: `start`, `messages` (signal, cancel, terminate), `activities` (reports of workers),
`due` (time passed), `intents` (what the run's own code wants).
"""

from __future__ import annotations

import msgspec

from streamflow.engine.context import Limits
from streamflow.model.answers import Answer, Reason, Rejection, Trouble
from streamflow.model.events import Event
from streamflow.model.ids import Op, RunId
from streamflow.model.tasks import Attempt

Fact = Event | Attempt | Trouble
"""What a decision may state: an event, or the latest state of an attempt or of the run's trouble."""


class Send(msgspec.Struct, frozen=True, gc=False):
    """Sends the pending activity's present attempt: to its queue, or to this processor's own executor if local."""

    op: Op


Step = Fact | Send


class Decision(msgspec.Struct, frozen=True, gc=False):
    """An accepted command: what is now true, in order, and what the caller is told (``None``: nothing)."""

    facts: tuple[Step, ...] = ()
    answer: Answer | None = None


def refuse_size(what: str, size: int, limits: Limits) -> Rejection | None:
    """Why so many bytes of user data in one command cannot be recorded, or ``None``."""
    if size <= limits.payload_bytes_max:
        return None
    return reject(
        Reason.LIMIT_EXCEEDED,
        f"Expected payloads of at most {limits.payload_bytes_max} bytes in one {what}, found {size}: "
        "keep large data in a store of its own and pass a reference",
    )


def reject(reason: Reason, message: str, *, run_id: RunId | None = None) -> Rejection:
    return Rejection(reason=reason, message=message, run_id=run_id)
