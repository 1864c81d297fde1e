"""Many callers change one thing at once: handlers that await take turns at a lock, and the run ends when all are done."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

from examples.hello import run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.exceptions import ApplicationError
from streamflow.worker import Worker

QUEUE = "cluster"
LIMIT = timedelta(seconds=10)


@dataclass
class Request:
    job: str
    nodes: int


@dataclass
class Cluster:
    free: list[str] = field(default_factory=lambda: [f"node-{n}" for n in range(6)])
    jobs: dict[str, list[str]] = field(default_factory=dict)


@activity.defn
async def prepare(nodes: list[str]) -> None:
    await asyncio.sleep(0.005 * len(nodes))


@workflow.defn
class ClusterManager:
    def __init__(self) -> None:
        self.cluster = Cluster()
        self.turn = asyncio.Lock()
        self.closing = False

    @workflow.run
    async def run(self) -> Cluster:
        await workflow.wait_condition(lambda: self.closing and workflow.all_handlers_finished())
        return self.cluster

    @workflow.update
    async def assign(self, request: Request) -> list[str]:
        """The nodes of the job. Asked twice for the same job, the same nodes."""
        async with self.turn:
            if request.job in self.cluster.jobs:
                return self.cluster.jobs[request.job]
            if request.nodes > len(self.cluster.free):
                raise ApplicationError(
                    f"Expected at most {len(self.cluster.free)} nodes, found {request.nodes}"
                )
            nodes = self.cluster.free[: request.nodes]
            # While this waits, other handlers run; the lock keeps them from taking the same nodes.
            await workflow.execute_activity(prepare, nodes, start_to_close_timeout=LIMIT)
            self.cluster.free = self.cluster.free[request.nodes :]
            self.cluster.jobs[request.job] = nodes
            return nodes

    @assign.validator
    def check_assign(self, request: Request) -> None:
        if self.closing:
            raise ApplicationError("The cluster is being closed")

    @workflow.update
    async def release(self, job: str) -> int:
        async with self.turn:
            self.cluster.free += self.cluster.jobs.pop(job, [])
            return len(self.cluster.free)

    @workflow.signal
    def close(self) -> None:
        self.closing = True


async def main(client: Client) -> Cluster:
    async with Worker(client, task_queue=QUEUE, workflows=[ClusterManager], activities=[prepare]):
        handle = await client.start_workflow(
            ClusterManager.run, id="cluster-manager", task_queue=QUEUE
        )
        await asyncio.gather(
            *[
                handle.execute_update(ClusterManager.assign, Request(f"job-{n}", 2))
                for n in range(3)
            ]
        )
        await handle.execute_update(ClusterManager.release, "job-1")
        await handle.signal(ClusterManager.close)
        return await handle.result()


if __name__ == "__main__":
    run(main)
