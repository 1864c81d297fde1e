"""Schedules: a workflow of ours on a queue of its own, that starts workflows when they are due.

    client --start, signal, query--> `workflow.ScheduleWorkflow` on queue `SCHEDULES_QUEUE` --child workflows--> any queue

`facts` is what a schedule is and has done, `times` when it is due (pure), `workflow` the code that acts: `starting` an action,
`carrying` what it leaves to the next one.
"""

from __future__ import annotations

from streamflow.schedules.facts import (
    OWN_ATTRIBUTES,
    SCHEDULE_TYPE,
    SCHEDULES_QUEUE,
    Action,
    ActionResult,
    Backfill,
    Described,
    Info,
    Interval,
    Overlap,
    Policy,
    Schedule,
    Spec,
    State,
    workflow_id_of,
)
from streamflow.schedules.times import next_times, refuse_spec

__all__ = [
    "OWN_ATTRIBUTES",
    "SCHEDULES_QUEUE",
    "SCHEDULE_TYPE",
    "Action",
    "ActionResult",
    "Backfill",
    "Described",
    "Info",
    "Interval",
    "Overlap",
    "Policy",
    "Schedule",
    "Spec",
    "State",
    "next_times",
    "refuse_spec",
    "workflow_id_of",
]
