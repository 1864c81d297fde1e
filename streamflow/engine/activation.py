"""When a run's code may run, and on what."""

from __future__ import annotations

import hashlib

from streamflow.engine.context import Context
from streamflow.engine.state import Run
from streamflow.model.events import Event, SignalReceived, WorkflowStarted
from streamflow.model.intents import Activation


def ready(run: Run, now_ms: int, *, messages: bool = False) -> bool:
    """Whether inputs wait that the code may see now: not during a start delay, nor before a stuck run's next try.

    ``messages`` are asked of the code without being recorded yet: updates.
    """
    if not run.open or not (run.waiting or messages or run.goes_on):
        return False
    if run.trouble is not None and (
        not run.trouble.next_try_ms or run.trouble.next_try_ms > now_ms
    ):
        return False
    if run.step or run.start.not_before_ms <= now_ms:
        return True
    start = run.start
    if start.cron_schedule or start.continued_from is not None:
        # Between two runs of a chain only a request to cancel ends the wait; signals and updates wait too.
        return run.cancel_requested
    # A message that arrives during the start delay ends it; the signal that came with the start waits with it.
    return messages or any(not _of_start(recorded.event, start) for recorded in run.waiting)


def _of_start(event: Event, start: WorkflowStarted) -> bool:
    if isinstance(event, SignalReceived):
        return event.message_id == start.message_id
    return isinstance(event, WorkflowStarted)


def activation_of(run: Run, context: Context, *, flags: int, history_bytes: int) -> Activation:
    """The next run of the code: all waiting inputs, at this time."""
    return Activation(
        inputs=tuple(run.waiting),
        now_ms=context.now_ms,
        seed=seed_of(run.run_id),
        flags=run.flags if run.step else flags,
        history_length=run.last_seq,
        history_bytes=history_bytes,
    )


def seed_of(run_id: str) -> int:
    """For the run's random numbers: 63 bits, never negative, and others for a run that was reset under a new ID."""
    return int.from_bytes(hashlib.blake2b(run_id.encode(), digest_size=8).digest(), "big") >> 1
