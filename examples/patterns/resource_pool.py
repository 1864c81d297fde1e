"""A few of something for many who want one: a workflow lends them out, in the order in which they were asked for."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from examples.hello import run
from streamflow import workflow
from streamflow.client import Client
from streamflow.worker import Worker

QUEUE = "pool"
POOL = "pool"


@dataclass
class Lending:
    """What a pool must remember when it continues as new."""

    free: list[str]
    lent: dict[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)


@workflow.defn
class Pool:
    @workflow.init
    def __init__(self, lending: Lending) -> None:
        self.free = deque(lending.free)
        self.lent = dict(lending.lent)
        self.waiting = deque(lending.waiting)

    @workflow.run
    async def run(self, lending: Lending) -> None:
        while True:
            await workflow.wait_condition(
                lambda: (
                    bool(self.free and self.waiting)
                    or workflow.info().is_continue_as_new_suggested()
                )
            )
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(Lending(list(self.free), self.lent, list(self.waiting)))
            borrower, resource = self.waiting.popleft(), self.free.popleft()
            self.lent[borrower] = resource
            await workflow.get_external_workflow_handle_for(Borrower.run, borrower).signal(
                Borrower.lend, resource
            )

    @workflow.signal
    def ask(self, borrower: str) -> None:
        self.waiting.append(borrower)

    @workflow.signal
    def give_back(self, borrower: str) -> None:
        resource = self.lent.pop(borrower, None)
        if resource is not None:
            self.free.append(resource)

    @workflow.query
    def state(self) -> Lending:
        return Lending(list(self.free), dict(self.lent), list(self.waiting))


@workflow.defn
class Borrower:
    def __init__(self) -> None:
        self.resource: str | None = None

    @workflow.run
    async def run(self) -> str:
        me = workflow.info().workflow_id
        pool = workflow.get_external_workflow_handle_for(Pool.run, POOL)
        await pool.signal(Pool.ask, me)
        try:
            await workflow.wait_condition(lambda: self.resource is not None)
            await workflow.sleep(0.01)  # the work for which it is needed
            assert self.resource is not None
            return self.resource
        finally:
            await pool.signal(Pool.give_back, me)

    @workflow.signal
    def lend(self, resource: str) -> None:
        self.resource = resource


async def main(client: Client) -> list[str]:
    """What each of five borrowers had, of two resources."""
    async with Worker(client, task_queue=QUEUE, workflows=[Pool, Borrower]):
        pool = await client.start_workflow(
            Pool.run, Lending(["red", "blue"]), id=POOL, task_queue=QUEUE
        )
        handles = [
            await client.start_workflow(Borrower.run, id=f"borrower-{n}", task_queue=QUEUE)
            for n in range(5)
        ]
        had = [await handle.result() for handle in handles]
        await pool.terminate()
        return had


if __name__ == "__main__":
    run(main)
