"""How many commands the next batch may take: few at first where there is a reason for it, and twice as many after each commit."""

from __future__ import annotations

import sys
from typing import Final

WHEN_COLD: Final = 16
"""Where a partition has just been taken, every run is replayed before it steps, and a full batch of them takes half a second:
nothing of it would be seen before all of it is done."""


class Ramp:
    def __init__(self, enough: int) -> None:
        """``enough`` is what a batch takes in any case: beyond it there is no bound."""
        self._enough = enough
        self.works_max = sys.maxsize

    def begin(self, works_max: int) -> None:
        self.works_max = works_max

    def end(self) -> None:
        self.works_max = sys.maxsize

    def committed(self) -> None:
        if self.works_max < self._enough:
            self.works_max *= 2
        else:
            self.end()
