"""A journey is booked whole or not at all: what was booked is taken back, last first, when a later part fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

from examples.hello import run
from streamflow import activity, workflow
from streamflow.client import Client, WorkflowFailureError
from streamflow.exceptions import ApplicationError
from streamflow.worker import Worker

QUEUE = "journeys"
LIMIT = timedelta(seconds=10)


class Agency:
    """Where bookings are made; asking twice for the same one books once."""

    def __init__(self) -> None:
        self.booked: dict[str, str] = {}

    @activity.defn
    async def book(self, part: str, journey: str) -> str:
        if part == "flight" and journey == "to-atlantis":
            raise ApplicationError(
                "Nobody flies there", type="NoSuchDestination", non_retryable=True
            )
        self.booked[f"{journey}/{part}"] = part
        return f"{journey}/{part}"

    @activity.defn
    async def cancel(self, booking: str) -> None:
        self.booked.pop(booking, None)


@workflow.defn
class BookJourney:
    @workflow.run
    async def run(self, journey: str) -> list[str]:
        undo: list[Callable[[], Awaitable[None]]] = []
        bookings: list[str] = []
        try:
            for part in ("car", "hotel", "flight"):
                booking = f"{journey}/{part}"
                # Before it is booked: if nobody knows whether it was, it is taken back all the same.
                undo.append(lambda booking=booking: self._cancel(booking))  # type: ignore[misc]
                bookings.append(
                    await workflow.execute_activity_method(
                        Agency.book, args=[part, journey], start_to_close_timeout=LIMIT
                    )
                )
            return bookings
        except Exception:
            for take_back in reversed(undo):
                await take_back()
            raise

    async def _cancel(self, booking: str) -> None:
        await workflow.execute_activity_method(Agency.cancel, booking, start_to_close_timeout=LIMIT)


async def main(client: Client) -> list[object]:
    """The bookings of a journey, how another one failed, and what is booked in the end."""
    agency = Agency()
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[BookJourney],
        activities=[agency.book, agency.cancel],
    ):
        rome = await client.execute_workflow(
            BookJourney.run, "to-rome", id="to-rome", task_queue=QUEUE
        )
        try:
            await client.execute_workflow(
                BookJourney.run, "to-atlantis", id="to-atlantis", task_queue=QUEUE
            )
        except WorkflowFailureError as error:
            return [rome, str(error.cause.__cause__), sorted(agency.booked)]
    raise AssertionError("Expected the journey to Atlantis to fail")


if __name__ == "__main__":
    run(main)
