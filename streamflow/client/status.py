"""Where a run stands, in numbers that ported code knows. Errors say it as well as descriptions."""

from __future__ import annotations

from enum import IntEnum


class WorkflowExecutionStatus(IntEnum):
    """Where a run stands."""

    RUNNING = 1
    COMPLETED = 2
    FAILED = 3
    CANCELED = 4
    TERMINATED = 5
    CONTINUED_AS_NEW = 6
    TIMED_OUT = 7
