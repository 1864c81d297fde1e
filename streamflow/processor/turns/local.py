"""The port through which a processor has local activities run; the worker's executor implements it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streamflow.model.commands import LocalActivityEnded
from streamflow.model.ids import Op, RunId
from streamflow.model.tasks import ActivityTask


class LocalActivities(Protocol):
    def start(self, task: ActivityTask, done: Callable[[LocalActivityEnded], None]) -> None:
        """Runs the attempt soon; ``done`` is told its end once, on any thread."""
        ...

    def start_many(
        self, tasks: list[ActivityTask], done: Callable[[LocalActivityEnded], None]
    ) -> None:
        """The same for several: one hand-over to the activities' event loop."""
        ...

    def cancel(self, run_id: RunId, op: Op) -> None:
        """Asks the attempt to stop; its end is still told."""
        ...
