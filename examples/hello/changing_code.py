"""New code beside runs that began on the old: `patched` tells them apart, for as long as the old ones live."""

from __future__ import annotations

from datetime import timedelta

from examples.hello import QUEUE, run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.worker import Worker

LIMIT = timedelta(seconds=10)


@activity.defn
async def send_letter(name: str) -> str:
    return f"letter to {name}"


@activity.defn
async def send_mail(name: str) -> str:
    return f"mail to {name}"


@workflow.defn(name="Notify")
class NotifyBefore:
    @workflow.run
    async def run(self, name: str) -> str:
        sent = await workflow.execute_activity(send_letter, name, start_to_close_timeout=LIMIT)
        await workflow.sleep(0.2)
        return sent


@workflow.defn(name="Notify")
class NotifyAfter:
    @workflow.run
    async def run(self, name: str) -> str:
        if workflow.patched("mail-instead-of-letters"):
            sent = await workflow.execute_activity(send_mail, name, start_to_close_timeout=LIMIT)
        else:
            sent = await workflow.execute_activity(send_letter, name, start_to_close_timeout=LIMIT)
        await workflow.sleep(0.2)
        return sent


async def main(client: Client) -> list[str]:
    """What came of a run that began on the old code, and of one that began on the new."""
    activities = [send_letter, send_mail]
    async with Worker(client, task_queue=QUEUE, workflows=[NotifyBefore], activities=activities):
        old = await client.start_workflow(
            NotifyBefore.run, "Ada", id="hello-old-code", task_queue=QUEUE
        )
        while not any(
            "ActivityCompleted" in type(e).__name__ for e in await _events(old.id, client)
        ):
            pass
    async with Worker(client, task_queue=QUEUE, workflows=[NotifyAfter], activities=activities):
        new = await client.start_workflow(
            NotifyAfter.run, "Bob", id="hello-new-code", task_queue=QUEUE
        )
        return [await old.result(), await new.result()]


async def _events(workflow_id: str, client: Client) -> list[object]:
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return [recorded.event for recorded in history.recorded]


if __name__ == "__main__":
    run(main)
