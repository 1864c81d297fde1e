"""What fails in an activity arrives at the caller of the workflow, with everything in between as its causes."""

from __future__ import annotations

from datetime import timedelta

from examples.hello import QUEUE, run
from streamflow import activity, workflow
from streamflow.client import Client, WorkflowFailureError
from streamflow.exceptions import ApplicationError
from streamflow.worker import Worker


@activity.defn
async def charge(card: str) -> None:
    raise ApplicationError(
        "The card was declined", {"card": card}, type="CardDeclined", non_retryable=True
    )


@workflow.defn
class Buying:
    @workflow.run
    async def run(self, card: str) -> None:
        await workflow.execute_activity(charge, card, start_to_close_timeout=timedelta(seconds=5))


async def main(client: Client) -> list[str]:
    """The chain of causes, outermost first."""
    async with Worker(client, task_queue=QUEUE, workflows=[Buying], activities=[charge]):
        try:
            await client.execute_workflow(Buying.run, "1234", id="hello-failures", task_queue=QUEUE)
        except WorkflowFailureError as error:
            chain: list[str] = []
            cause: BaseException | None = error
            while cause is not None:
                chain.append(type(cause).__name__)
                if isinstance(cause, ApplicationError):
                    chain.append(f"{cause.type}: {cause.message} {cause.details[0]}")
                cause = cause.__cause__
            return chain
    raise AssertionError("Expected the workflow to fail")


if __name__ == "__main__":
    run(main)
