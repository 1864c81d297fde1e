"""How often each task was begun, noted beside the committed offset: a task that ends its worker is counted by the next one.

What ends soon is not noted, so that short tasks cost nothing. Owned by the poll thread.
"""

from __future__ import annotations

from collections.abc import Container

from streamflow.ports import Clock
from streamflow.worker.taking.delivery import Delivery, Stage
from streamflow.worker.taking.limits import PollerOptions


class Begun:
    """Tasks with the executor whose windows do not say yet that they are begun."""

    def __init__(self, in_hand: Container[Delivery], clock: Clock, options: PollerOptions) -> None:
        self._in_hand = in_hand
        self._clock = clock
        self._options = options
        self._unnoted: dict[Delivery, None] = {}
        self._next_note_ms = 0

    def __len__(self) -> int:
        return len(self._unnoted)

    def add(self, delivery: Delivery) -> None:
        """It is handed to the executor."""
        if delivery.partition.window.times_begun(delivery.offset) == delivery.earlier:
            self._unnoted[delivery] = None

    def note(self, *, at_once: bool = False) -> bool:
        """Notes in the windows what has been running for a while; whether there is something new to commit.

        ``at_once`` notes whatever runs.
        """
        now_ms, monotonic_ms = self._clock.now_ms(), self._clock.monotonic_ms()
        if not self._unnoted or (monotonic_ms < self._next_note_ms and not at_once):
            return False
        since_ms = now_ms if at_once else now_ms - self._options.note_after_ms
        noted = False
        for delivery in list(self._unnoted):
            if delivery not in self._in_hand or delivery.stage is not Stage.HANDED:
                del self._unnoted[delivery]
            elif delivery.runs and delivery.started_ms <= since_ms:
                del self._unnoted[delivery]
                delivery.partition.window.begin(delivery.offset, delivery.earlier + 1)
                noted = True
        if noted:
            self._next_note_ms = monotonic_ms + self._options.note_apart_ms
        return noted
