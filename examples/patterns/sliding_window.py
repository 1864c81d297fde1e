"""A great many records, never more than a few at a time, and no history that grows with their number."""

from __future__ import annotations

from dataclasses import dataclass, replace

from examples.hello import run
from streamflow import workflow
from streamflow.client import Client
from streamflow.worker import Worker
from streamflow.workflow import ParentClosePolicy

QUEUE = "window"


@dataclass(frozen=True)
class Progress:
    total: int
    window: int = 4
    next: int = 0
    """The first record that was not begun."""
    running: tuple[int, ...] = ()
    """Begun by an earlier run, and not heard of since."""


@workflow.defn
class ProcessAll:
    """Begins records as long as the window has room; after a page of them it continues as new, while they go on."""

    @workflow.init
    def __init__(self, progress: Progress, page: int = 5) -> None:
        self.running = set(progress.running)

    @workflow.run
    async def run(self, progress: Progress, page: int = 5) -> int:
        number, last = progress.next, min(progress.next + page, progress.total)
        while number < last:
            await workflow.wait_condition(lambda: len(self.running) < progress.window)
            self.running.add(number)
            await workflow.start_child_workflow(
                ProcessOne.run,
                number,
                id=f"{workflow.info().workflow_id}/{number}",
                parent_close_policy=ParentClosePolicy.ABANDON,
            )
            number += 1
        if number < progress.total:
            left = replace(progress, next=number, running=tuple(sorted(self.running)))
            workflow.continue_as_new(args=[left, page])
        await workflow.wait_condition(lambda: not self.running)
        return progress.total

    @workflow.signal
    def done(self, number: int) -> None:
        self.running.discard(number)


@workflow.defn
class ProcessOne:
    @workflow.run
    async def run(self, number: int) -> None:
        await workflow.sleep(0.002 * (number % 3))
        parent = workflow.info().parent
        assert parent is not None
        await workflow.get_external_workflow_handle(parent.workflow_id).signal("done", number)


async def main(client: Client) -> int:
    async with Worker(client, task_queue=QUEUE, workflows=[ProcessAll, ProcessOne]):
        return await client.execute_workflow(
            ProcessAll.run, args=[Progress(total=17), 5], id="process-all", task_queue=QUEUE
        )


if __name__ == "__main__":
    run(main)
