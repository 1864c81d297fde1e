"""An activity that fails is tried again, with backoff, until it succeeds or its policy says that it is enough."""

from __future__ import annotations

from datetime import timedelta

from examples.hello import QUEUE, run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError, ApplicationError
from streamflow.worker import Worker

LIMIT = timedelta(seconds=10)


@activity.defn
async def succeed_at(attempt: int) -> str:
    if activity.info().attempt < attempt:
        raise RuntimeError(f"Not at attempt {activity.info().attempt}")
    return f"done at attempt {attempt}"


@activity.defn
async def refuse() -> None:
    raise ApplicationError("This will never work", type="Refused", non_retryable=True)


@workflow.defn
class Retrying:
    @workflow.run
    async def run(self) -> list[str]:
        soon = RetryPolicy(initial_interval=timedelta(milliseconds=10), backoff_coefficient=1.5)
        outcomes = [
            await workflow.execute_activity(
                succeed_at, 3, start_to_close_timeout=LIMIT, retry_policy=soon
            )
        ]
        try:
            await workflow.execute_activity(refuse, start_to_close_timeout=LIMIT)
        except ActivityError as error:
            outcomes.append(f"given up: {error.cause}")
        return outcomes


async def main(client: Client) -> list[str]:
    async with Worker(
        client, task_queue=QUEUE, workflows=[Retrying], activities=[succeed_at, refuse]
    ):
        return await client.execute_workflow(Retrying.run, id="hello-retries", task_queue=QUEUE)


if __name__ == "__main__":
    run(main)
