"""Local activities of the batch at hand: run while it waits a little, so that they commit together with their steps.

Whatever does not end within the budget comes back later as a command of its own. A crash before the commit runs them
again, as it would any attempt.
"""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Container, Mapping

from streamflow.model.commands import LocalActivityEnded
from streamflow.model.tasks import ActivityTask
from streamflow.ports import Log
from streamflow.processor.commands.stepper import Stepper
from streamflow.processor.options import ProcessorOptions
from streamflow.processor.state.batch import BYTES_MAX, Batch
from streamflow.processor.turns.local import LocalActivities

_Key = tuple[str, int, bytes]
"""Names a running attempt: the token tells it from one of a batch that did not commit."""


class Speculation:
    """Hands local activities to the executor and takes their ends back, from any thread."""

    def __init__(
        self,
        log: Log,
        executor: LocalActivities | None,
        options: ProcessorOptions,
        *,
        partition_of: Callable[[str], int],
        wake: Callable[[], None],
    ) -> None:
        self._log = log
        self._executor = executor
        self._budget_ms = options.local_budget_ms if log.threaded else 0
        self._partition_of = partition_of
        self._wake = wake
        self._ended: queue.SimpleQueue[LocalActivityEnded] = queue.SimpleQueue()
        self._running: set[_Key] = set()
        """Also those whose end was given back, until it is taken again."""

    @property
    def outstanding(self) -> bool:
        return bool(self._running)

    @property
    def waiting(self) -> bool:
        """Whether ends are there that no batch has taken yet."""
        return not self._ended.empty()

    def run(
        self, batch: Batch, steppers: Mapping[int, Stepper], noted: Container[str] | None = None
    ) -> None:
        """Starts what the batch began, and steps its runs on as long as the budget lasts.

        ``noted`` are the workflows that may step, where it was noted who does; default: all.
        """
        if not batch.locals_begun:
            return
        clock = self._log.clock
        deadline_ms = clock.monotonic_ms() + self._budget_ms
        mine = self._start(batch)
        came: deque[LocalActivityEnded] = deque()
        foreign: list[LocalActivityEnded] = []
        try:
            while not mine.isdisjoint(self._running) and batch.size_bytes < BYTES_MAX:
                left_ms = deadline_ms - clock.monotonic_ms()
                if left_ms <= 0:
                    break
                came.extend(self._await(left_ms))
                while came:
                    ended = came.popleft()
                    if noted is None or ended.workflow_id in noted:
                        self._step(ended, steppers, foreign)
                    else:
                        foreign.append(ended)
                mine |= self._start(batch)
        finally:
            for ended in (*foreign, *came):
                self.give_back(ended)

    def _step(
        self,
        ended: LocalActivityEnded,
        steppers: Mapping[int, Stepper],
        foreign: list[LocalActivityEnded],
    ) -> None:
        """Foreign are laggards of earlier batches, on partitions that this one does not touch."""
        stepper = steppers.get(self._partition_of(ended.workflow_id))
        if stepper is None:
            foreign.append(ended)
        else:
            stepper.step_local(ended)

    def take(self) -> list[LocalActivityEnded]:
        """The ends that have come so far."""
        taken: list[LocalActivityEnded] = []
        while True:
            try:
                taken.append(self._ended.get_nowait())
            except queue.Empty:
                break
        for ended in taken:
            self._running.discard(_key(ended))
        return taken

    def give_back(self, ended: LocalActivityEnded) -> None:
        """No batch with this end was committed: a later one takes it."""
        self._running.add(_key(ended))
        self._ended.put(ended)

    def cancel(self, batch: Batch) -> None:
        if self._executor is not None:
            for run_id, op in batch.locals_canceled:
                self._executor.cancel(run_id, op)

    def _start(self, batch: Batch) -> set[_Key]:
        """Starts what the batch began, and is neither running nor ended; returns that.

        A look whether an activity is lost (`engine.deadlines`) may be due in the turn in which its end is taken.
        """
        tasks, batch.locals_begun = batch.locals_begun, []
        ended = {(_key(one), one.attempt) for one in batch.locals_used}
        fresh = [
            task
            for task in tasks
            if (key := _key(task)) not in self._running and (key, task.attempt) not in ended
        ]
        if fresh:
            assert self._executor is not None, "a worker with workflows brings an executor"
            self._running.update(map(_key, fresh))
            self._executor.start_many(fresh, self._done)
        return set(map(_key, fresh))

    def _await(self, wait_ms: int) -> list[LocalActivityEnded]:
        try:
            first = self._ended.get(timeout=wait_ms / 1000)
        except queue.Empty:
            return []
        self._running.discard(_key(first))
        return [first, *self.take()]

    def _done(self, ended: LocalActivityEnded) -> None:
        self._ended.put(ended)
        if not self._log.threaded:
            self._wake()


def _key(task: ActivityTask | LocalActivityEnded) -> _Key:
    return task.run_id, task.op, task.token
