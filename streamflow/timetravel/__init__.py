"""Time travel: what a run's code looked like after any step of its history, as today's code comes to stand there again.

    history --log--> steps --player--> State of a step --marking--> what the step changed --> pages, command

A step is made again by replaying the history up to it: no activity runs, and nothing is recorded. `values` turns whatever the
code holds into bounded text without calling any of it.
"""

from __future__ import annotations

from streamflow.timetravel.code import CodeAtHand, NoCode
from streamflow.timetravel.limits import LIMITS, Limits
from streamflow.timetravel.log import Log
from streamflow.timetravel.player import Player, Unfinished
from streamflow.timetravel.state import FrameShown, State, TaskShown, Trouble, View
from streamflow.timetravel.travels import Travels
from streamflow.timetravel.values import Part, Value

__all__ = [
    "LIMITS",
    "CodeAtHand",
    "FrameShown",
    "Limits",
    "Log",
    "NoCode",
    "Part",
    "Player",
    "State",
    "TaskShown",
    "Travels",
    "Trouble",
    "Unfinished",
    "Value",
    "View",
]
