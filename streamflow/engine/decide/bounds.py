"""Refuses what a run or an activity could not be begun with: priorities, retry policies, durations out of their bounds."""

from __future__ import annotations

import msgspec

from streamflow.engine.decide import reject
from streamflow.model import standalone
from streamflow.model.answers import Reason, Rejection
from streamflow.model.bounds import (
    refused_activity,
    refused_duration,
    refused_policy,
    refused_priority,
    refused_run,
)
from streamflow.model.commands import StartWorkflow
from streamflow.model.intents import ContinueAsNew, Intent, ScheduleActivity


def refuse_unfit_start(command: StartWorkflow) -> Rejection | None:
    """A run that goes on with a chain keeps what the chain was begun with, be it older than the bounds."""
    if command.chain is not None:
        return None
    return _rejected(
        refused_duration("start_delay", command.start_delay_ms)
        or refused_run(command)
        or (_refused_spec(command) if command.workflow_type == standalone.WORKFLOW_TYPE else "")
    )


def refuse_unfit_intent(intent: Intent) -> Rejection | None:
    """Children and runs that are signalled with their start are refused where they are started: their parent is told."""
    match intent:
        case ScheduleActivity():
            refused = refused_policy(intent.retry_policy) or refused_priority(intent)
        case ContinueAsNew(retry_policy=policy) if policy is not None:
            refused = refused_policy(policy)
        case _:
            return None
    return _rejected(refused)


def _refused_spec(command: StartWorkflow) -> str:
    """Of an activity that a client starts: its run could only be stuck with it."""
    try:
        spec = standalone.decode_spec(command.args[0])
    except (IndexError, msgspec.MsgspecError):
        return "Expected the order of an activity as the only argument, found none: start it as an activity"
    return refused_activity(spec)


def _rejected(refused: str) -> Rejection | None:
    return reject(Reason.INVALID_ARGUMENT, refused) if refused else None
