"""A running workflow is told something (signal), asked something (query), and asked for something (update)."""

from __future__ import annotations

from examples.hello import QUEUE, run
from streamflow import workflow
from streamflow.client import Client, WorkflowUpdateFailedError
from streamflow.worker import Worker


@workflow.defn
class Lift:
    def __init__(self) -> None:
        self.floor = 0
        self.closed = False

    @workflow.run
    async def run(self) -> int:
        """The floor where it stood when it was closed."""
        await workflow.wait_condition(lambda: self.closed)
        return self.floor

    @workflow.signal
    def close(self) -> None:
        self.closed = True

    @workflow.query
    def where(self) -> int:
        return self.floor

    @workflow.update
    async def go_to(self, floor: int) -> str:
        """Answers when it has arrived."""
        await workflow.sleep(0.01 * abs(floor - self.floor))
        before, self.floor = self.floor, floor
        return f"{before} -> {floor}"

    @go_to.validator
    def check_go_to(self, floor: int) -> None:
        """What is refused here leaves no trace in the history."""
        if not 0 <= floor <= 5:
            raise ValueError(f"Expected a floor from 0 to 5, found {floor}")


async def main(client: Client) -> list[object]:
    async with Worker(client, task_queue=QUEUE, workflows=[Lift]):
        handle = await client.start_workflow(Lift.run, id="hello-messages", task_queue=QUEUE)
        seen: list[object] = [await handle.execute_update(Lift.go_to, 3)]
        seen.append(await handle.query(Lift.where))
        try:
            await handle.execute_update(Lift.go_to, 17)
        except WorkflowUpdateFailedError as error:
            seen.append(str(error.cause))
        await handle.signal(Lift.close)
        seen.append(await handle.result())
        return seen


if __name__ == "__main__":
    run(main)
