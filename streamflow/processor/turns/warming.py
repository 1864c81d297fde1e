"""Small batches first. Where a partition has just been taken, every run is replayed before it steps, and a full batch of
them takes half a second: nothing of it would be seen before all of it is done. So the first takes a few, and each twice
as many as the one before.
"""

from __future__ import annotations

import sys
from typing import Final

FIRST: Final = 16


class Warming:
    def __init__(self, batch_records_max: int) -> None:
        self._enough = batch_records_max
        self.works_max = sys.maxsize
        """How many commands the next batch may take."""

    def begin(self) -> None:
        """A partition became active."""
        self.works_max = FIRST

    def committed(self) -> None:
        if self.works_max < self._enough:
            self.works_max *= 2
        else:
            self.works_max = sys.maxsize
