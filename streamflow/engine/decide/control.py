"""An operator's hand on pending activities: pause, unpause, reset, other options. What is running goes on; it is told with its next heartbeat.

pause    nothing is sent from now on      running: a failure is not followed by another attempt until unpaused
unpause  what waits is sent at once       running: as if it had never been paused
reset    counts from 1, sent at once      running: its failure is followed by a first attempt
options  see `options`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

import msgspec

from streamflow.engine.context import Context
from streamflow.engine.decide import Decision, Step, reject
from streamflow.engine.decide.activities import pending_by_id
from streamflow.engine.decide.due import dispatch
from streamflow.engine.decide.interruption import begun_anew
from streamflow.engine.decide.options import is_held_back, options_after, options_now, with_options
from streamflow.engine.state import PendingActivity, Run
from streamflow.model.activity_options import ActivityOptions
from streamflow.model.answers import Done, Reason, Rejection
from streamflow.model.commands import ActivityControl, ControlActivity


def decide_control(run: Run, command: ControlActivity, context: Context) -> Decision | Rejection:
    if not run.open:
        return reject(
            Reason.ALREADY_CLOSED,
            f"Expected run {run.run_id} of workflow {run.workflow_id!r} to be open, found it {run.status.value}",
            run_id=run.run_id,
        )
    if not command.activity_id and not command.activity_type:
        return reject(
            Reason.INVALID_ARGUMENT, "Expected an activity's ID or its type, found neither"
        )
    meant = _meant(run, command)
    if not meant:
        found = ", ".join(a.scheduled.activity_id for a in list(run.activities.values())[:20])
        return reject(
            Reason.NOT_FOUND,
            f"Expected pending activity {command.activity_id or command.activity_type!r} in run {run.run_id}, "
            f"found {found or 'none'}",
            run_id=run.run_id,
        )
    if any(activity.scheduled.local for activity in meant):
        return reject(
            Reason.INVALID_ARGUMENT,
            "Expected an activity with a queue of its own, found a local one: it cannot be paused or reset",
            run_id=run.run_id,
        )
    steps: list[Step] = []
    options: ActivityOptions | None = None
    for activity in meant:
        if command.control is ActivityControl.UPDATE_OPTIONS:
            after = options_after(activity, command.options, restore=command.restore_options)
            if isinstance(after, str):
                return reject(Reason.INVALID_ARGUMENT, after, run_id=run.run_id)
            options = after
            steps += with_options(activity, after, context)
        else:
            steps += _controlled(activity, command, context)
    done = Done(run_id=run.run_id, first_run_id=run.start.first_run_id, activity_options=options)
    return Decision(tuple(steps), done)


def _meant(run: Run, command: ControlActivity) -> list[PendingActivity]:
    if command.activity_id:
        found = pending_by_id(run, command.activity_id)
        return [] if found is None else [found]
    return [
        a for a in run.activities.values() if a.scheduled.activity_type == command.activity_type
    ]


def _controlled(
    activity: PendingActivity, command: ControlActivity, context: Context
) -> Iterator[Step]:
    match command.control:
        case ActivityControl.PAUSE:
            if not activity.attempt.paused:
                yield msgspec.structs.replace(
                    activity.attempt, paused=True, pause_reason=command.reason
                )
        case ActivityControl.UNPAUSE:
            if activity.attempt.paused:
                yield from _unpaused(activity, command, context)
        case ActivityControl.RESET:
            yield from _reset(activity, command, context)
        case ActivityControl.UPDATE_OPTIONS:
            raise AssertionError("its answer depends on what comes of it: `decide_control` does it")
        case _:
            assert_never(command.control)


def _unpaused(
    activity: PendingActivity, command: ControlActivity, context: Context
) -> Iterator[Step]:
    attempt = msgspec.structs.replace(activity.attempt, paused=False, pause_reason="")
    if command.reset_attempts:
        attempt = msgspec.structs.replace(
            attempt, reset=True, reset_heartbeat=command.reset_heartbeat
        )
    elif command.reset_heartbeat:
        attempt = msgspec.structs.replace(attempt, heartbeat_details=())
    if attempt.started_ms:
        yield attempt
        return
    if command.reset_attempts:
        attempt = begun_anew(
            attempt,
            now_ms=context.now_ms,
            failure=attempt.last_failure,
            heartbeat_details=attempt.heartbeat_details,
        )
    if is_held_back(activity, attempt) and attempt.next_retry_ms > context.now_ms:
        yield attempt
        return
    # What was sent and not begun may have been dropped by a worker that had asked about it meanwhile: it is sent again.
    yield from dispatch(activity, context, attempt)


def _reset(activity: PendingActivity, command: ControlActivity, context: Context) -> Iterator[Step]:
    keeps = command.keep_paused and activity.attempt.paused
    attempt = msgspec.structs.replace(
        activity.attempt,
        paused=keeps,
        pause_reason=activity.attempt.pause_reason if keeps else "",
        reset=True,
        reset_heartbeat=command.reset_heartbeat,
        options=None if command.restore_options else activity.attempt.options,
    )
    moved = attempt.options is None and options_now(activity).queue != activity.scheduled.queue
    # A worker that has asked about it while it was paused has dropped it.
    dropped = activity.attempt.paused and not keeps
    if attempt.started_ms or (attempt.dispatched_ms and not moved and not dropped):
        yield attempt  # a worker may have it: the next attempt is the first
        return
    anew = begun_anew(
        attempt,
        now_ms=context.now_ms,
        failure=attempt.last_failure,
        heartbeat_details=attempt.heartbeat_details,
    )
    if keeps:
        yield anew
    else:
        yield from dispatch(activity, context, anew)
