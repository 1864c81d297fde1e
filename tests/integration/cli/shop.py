"""The Apps that the tests of the command line run: `tests.integration.cli.shop:app`."""

from __future__ import annotations

from datetime import timedelta

from streamflow import activity, workflow
from streamflow.app import App
from streamflow.exceptions import ApplicationError

QUEUE = "greetings"
LIMIT = timedelta(seconds=10)


@activity.defn
async def compose(name: str) -> str:
    return f"Hello, {name}"


@activity.defn
async def refuse() -> None:
    raise ApplicationError("no card", non_retryable=True)


@activity.defn
async def fail_for_ever() -> None:
    raise ApplicationError("not yet")


@activity.defn
async def ask_outside() -> dict[str, int]:
    """Somebody else will say."""
    activity.raise_complete_async()


@workflow.defn
class Greet:
    """Greets when it is told to; says so when it is cancelled."""

    def __init__(self) -> None:
        self.finished = False
        self.notes: list[str] = []

    @workflow.run
    async def run(self, name: str) -> str:
        greeting = await workflow.execute_activity(compose, name, start_to_close_timeout=LIMIT)
        marks = len(greeting) * 2
        await workflow.wait_condition(lambda: self.finished)
        return f"{greeting}{'!' * (marks - marks + 1)}"

    @workflow.signal
    def finish(self) -> None:
        self.finished = True

    @workflow.signal
    def note(self, text: str, importance: int) -> None:
        self.notes.append(f"{text} ({importance})")

    @workflow.query
    def state(self) -> dict[str, object]:
        return {"finished": self.finished, "notes": self.notes}

    @workflow.query
    def at(self, index: int) -> str:
        return self.notes[index]


@workflow.defn
class Refused:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(refuse, start_to_close_timeout=LIMIT)


@workflow.defn
class Stubborn:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(fail_for_ever, start_to_close_timeout=LIMIT)


@workflow.defn
class AsksOutside:
    @workflow.run
    async def run(self) -> dict[str, int]:
        return await workflow.execute_activity(
            ask_outside, activity_id="answer", start_to_close_timeout=timedelta(minutes=3)
        )


@workflow.defn
class Sleeper:
    @workflow.run
    async def run(self, seconds: float) -> str:
        await workflow.sleep(seconds)
        return "awake"


app = App(
    QUEUE,
    workflows=[Greet, Refused, Stubborn, AsksOutside, Sleeper],
    activities=[compose, refuse, fail_for_ever, ask_outside],
)
