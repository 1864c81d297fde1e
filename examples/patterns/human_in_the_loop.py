"""An expense waits for a person; unanswered, it goes to the next one up. Who waits can be asked at any time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from examples.hello import run
from streamflow import activity, workflow
from streamflow.client import Client
from streamflow.worker import Worker

QUEUE = "expenses"


@dataclass
class Answer:
    by: str
    approved: bool
    note: str = ""


@activity.defn
async def ask(person: str, expense: str) -> None:
    """Sends the person a mail with two links; a click on one calls the update below."""


@workflow.defn
class Approval:
    def __init__(self) -> None:
        self.waits_for = ""
        self.answer: Answer | None = None

    @workflow.run
    async def run(self, expense: str, people: list[str], patience: timedelta) -> Answer:
        for person in people:
            self.waits_for = person
            await workflow.execute_activity(
                ask, args=[person, expense], start_to_close_timeout=timedelta(minutes=1)
            )
            try:
                await workflow.wait_condition(lambda: self.answer is not None, timeout=patience)
            except TimeoutError:
                continue
            assert self.answer is not None
            return self.answer
        return Answer("nobody", approved=False, note="Nobody answered in time")

    @workflow.update
    def decide(self, answer: Answer) -> str:
        self.answer = answer
        return f"Thank you, {answer.by}"

    @decide.validator
    def check_decide(self, answer: Answer) -> None:
        if answer.by != self.waits_for:
            raise ValueError(
                f"Expected an answer of {self.waits_for!r}, found one of {answer.by!r}"
            )

    @workflow.query
    def waiting_for(self) -> str:
        return self.waits_for


async def main(client: Client, patience: timedelta = timedelta(seconds=1)) -> Answer:
    async with Worker(client, task_queue=QUEUE, workflows=[Approval], activities=[ask]):
        handle = await client.start_workflow(
            Approval.run,
            args=["a new chair", ["team lead", "director"], patience],
            id="expense-1",
            task_queue=QUEUE,
        )
        while await handle.query(Approval.waiting_for) != "director":  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        await handle.execute_update(Approval.decide, Answer("director", approved=True))
        return await handle.result()


if __name__ == "__main__":
    run(main)
