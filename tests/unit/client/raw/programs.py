"""What the runs of these tests do, and their small words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streamflow import activity, workflow
from streamflow.api.common.v1 import Payloads, WorkflowExecution
from streamflow.client import Client, WorkflowHandle

QUEUE = "heard"


@activity.defn
async def fails() -> None:
    raise RuntimeError("not now")


@workflow.defn
class Hears:
    """Notes what it hears until it hears "stop"."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> list[str]:
        await workflow.wait_condition(lambda: "stop" in self.heard)
        return self.heard

    @workflow.signal
    def hear(self, word: str) -> None:
        self.heard.append(word)

    @workflow.query
    def words(self) -> list[str]:
        return self.heard


@workflow.defn
class Retries:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            fails, activity_id="one", schedule_to_close_timeout=timedelta(days=10)
        )


async def begun(client: Client, kind: Any = Hears, id: str = "w") -> WorkflowHandle[Any, Any]:
    started: WorkflowHandle[Any, Any] = await client.start_workflow(
        kind.run, id=id, task_queue=QUEUE
    )
    return started


def named(id: str = "w", run_id: str = "") -> WorkflowExecution:
    return WorkflowExecution(workflow_id=id, run_id=run_id)


def payloads(client: Client, *values: object) -> Payloads:
    return Payloads(payloads=client.data_converter.payload_converter.to_payloads(values))
