"""Local activities: those that a processor has run in its own process, through the same executor as any other."""

from __future__ import annotations

from collections.abc import Callable

from streamflow.activity.cancellation import ActivityCancellationDetails
from streamflow.model.commands import LocalActivityEnded
from streamflow.model.ids import Op, RunId
from streamflow.model.tasks import ActivityTask
from streamflow.worker.running.attempt import Attempt, Outcome
from streamflow.worker.running.executor import Executor

Done = Callable[[LocalActivityEnded], None]


class LocalActivityRunner:
    """Implements `streamflow.processor.LocalActivities`. Called on the processor's thread."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._running: dict[tuple[RunId, Op], Attempt] = {}

    def start(self, task: ActivityTask, done: Done) -> None:
        self.start_many([task], done)

    def start_many(self, tasks: list[ActivityTask], done: Done) -> None:
        attempts = [self._attempt(task, done) for task in tasks]
        for attempt in attempts:
            self._running[attempt.task.run_id, attempt.task.op] = attempt
        self._executor.run(attempts)

    def cancel(self, run_id: RunId, op: Op) -> None:
        attempt = self._running.get((run_id, op))
        if attempt is not None:
            self._executor.cancel(attempt, ActivityCancellationDetails(cancel_requested=True))

    def _attempt(self, task: ActivityTask, done: Done) -> Attempt:
        def ended(attempt: Attempt, outcome: Outcome) -> None:
            key = (task.run_id, task.op)
            # A later attempt of the same activity may have taken the place.
            if self._running.get(key) is attempt:
                del self._running[key]
            done(
                LocalActivityEnded(
                    workflow_id=task.workflow_id,
                    run_id=task.run_id,
                    op=task.op,
                    attempt=task.attempt,
                    token=task.token,
                    outcome=outcome.kind,
                    result=outcome.result,
                    failure=outcome.failure,
                )
            )

        # A processor that shuts down waits for none of them: what it has not heard of is run again by its successor.
        return Attempt(task, ended=ended, is_local=True)
