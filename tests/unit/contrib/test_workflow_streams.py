"""Streams out of workflows: in order, from any offset, each batch once, across runs."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from streamflow.common import RawValue
from streamflow.contrib.workflow_streams import (
    PollInput,
    PollResult,
    PublishEntry,
    PublishInput,
    WorkflowStream,
    WorkflowStreamClient,
    WorkflowStreamItem,
    WorkflowStreamState,
)
from streamflow.contrib.workflow_streams.wire import POLL, PUBLISH, pack
from streamflow.converter import DataConverter
from streamflow.exceptions import ApplicationError
from streamflow.service import RPCError, RPCStatusCode
from streamflow.testing import WorkflowEnvironment
from tests.examples.stage import until
from tests.unit.updates.stage import QUEUE, assert_replays, both_ways, kinds, serving, worker

pytestmark = pytest.mark.asyncio
AT_ONCE = timedelta(0)


@dataclass
class Input:
    greetings: int = 0
    calls_activity: bool = False
    stream: WorkflowStreamState | None = None


@dataclass
class Note:
    text: str
    by: str = "workflow"


@activity.defn
async def report(parts: int) -> None:
    """Publishes from an activity."""
    client = WorkflowStreamClient.from_within_activity(batch_interval=timedelta(seconds=60))
    progress = client.topic("progress", type=int)
    async with client:
        for part in range(parts):
            progress.publish(part)


@workflow.defn
class Streaming:
    @workflow.init
    def __init__(self, input: Input) -> None:
        self.stream = WorkflowStream(prior_state=input.stream)
        self.notes = self.stream.topic("notes", type=Note)
        self.next: str | None = None

    @workflow.run
    async def run(self, input: Input) -> str:
        for number in range(input.greetings):
            self.notes.publish(Note(f"greeting {number}"))
        if input.calls_activity:
            await workflow.execute_activity(report, 3, start_to_close_timeout=timedelta(seconds=30))
        await workflow.wait_condition(lambda: self.next is not None)
        if self.next == "again":
            await self.stream.continue_as_new(lambda state: [Input(stream=state)])
        return self.next or ""

    @workflow.signal
    def end(self, how: str) -> None:
        self.next = how

    @workflow.update
    def truncate(self, offset: int) -> None:
        self.stream.truncate(offset)

    @workflow.update
    def note(self, text: str) -> None:
        self.notes.publish(Note(text))

    @workflow.update
    def make_another(self) -> str:
        try:
            WorkflowStream()
        except RuntimeError as error:
            return str(error)
        return "made"


async def started(client: Client, input: Input) -> WorkflowHandle[Streaming, str]:
    return await client.start_workflow(Streaming.run, input, id="w", task_queue=QUEUE)


async def first(
    count: int, stream: WorkflowStreamClient, *args: Any, **options: Any
) -> list[WorkflowStreamItem[Any]]:
    """So many items, and no more are awaited."""
    found: list[WorkflowStreamItem[Any]] = []
    async with asyncio.timeout(30):
        async for item in stream.subscribe(*args, poll_cooldown=AT_ONCE, **options):
            found.append(item)
            if len(found) == count:
                break
    return found


@both_ways
async def test_a_workflow_publishes_and_others_read_from_an_offset(cached: int) -> None:
    """Items have their types again, and their places."""
    async with worker([Streaming], cached=cached) as client:
        handle = await started(client, Input(greetings=3))
        stream = WorkflowStreamClient.create(client, "w")

        assert await first(2, stream, "notes", 1, result_type=Note) == [
            WorkflowStreamItem("notes", Note("greeting 1"), 1),
            WorkflowStreamItem("notes", Note("greeting 2"), 2),
        ]
        assert [item.data for item in await first(1, stream)] == [
            {"text": "greeting 0", "by": "workflow"}
        ]
        [raw] = await first(1, stream, ["notes"], result_type=RawValue)
        assert raw.data.payload.metadata["encoding"] == b"json/plain"
        assert await stream.get_offset() == 3
        await assert_replays(handle, Streaming)


@both_ways
async def test_a_subscriber_waits_for_what_comes_and_ends_with_the_workflow(cached: int) -> None:
    """No poll is left behind, nor an error."""
    async with worker([Streaming], cached=cached) as client:
        handle = await started(client, Input())
        stream = WorkflowStreamClient.create(client, "w")

        async def read() -> list[str]:
            topic = stream.topic("notes", type=Note)
            return [item.data.text async for item in topic.subscribe(poll_cooldown=AT_ONCE)]

        reading = asyncio.create_task(read())
        await handle.execute_update(Streaming.note, "one")
        await handle.execute_update(Streaming.note, "two")
        assert await first(2, stream)
        await until_polling(handle)
        with pytest.warns(workflow.UnfinishedUpdateHandlersWarning):  # noqa: PT031  # the run's end
            await handle.signal(Streaming.end, "done")
            assert await reading == ["one", "two"]
        assert await handle.result() == "done"
        assert await first(9, stream) == []


async def until_polling(handle: WorkflowHandle[Any, Any]) -> None:
    """Until a poll waits: more updates were accepted than answered."""
    await until(
        lambda: kinds(handle),
        lambda types: types.count("UpdateAccepted") > types.count("UpdateCompleted"),
    )


@both_ways
async def test_clients_publish_in_order_and_by_topic(cached: int) -> None:
    """What was buffered is sent when the client is left."""
    async with worker([Streaming], cached=cached) as client:
        handle = await started(client, Input())
        stream = WorkflowStreamClient.create(client, "w", max_batch_size=2)
        numbers, words = stream.topic("numbers", type=int), stream.topic("words", type=str)

        async with stream:
            for number, word in enumerate("abc"):
                numbers.publish(number)
                words.publish(word)

        assert [item.data for item in await first(3, stream, "numbers", result_type=int)] == [
            0,
            1,
            2,
        ]
        assert [(i.offset, i.data) for i in await first(2, stream, ["words"], 2)] == [
            (3, "b"),
            (5, "c"),
        ]
        await assert_replays(handle, Streaming)


async def test_an_activity_publishes_to_the_workflow_that_called_it() -> None:
    """Without being told which that is."""
    async with worker([Streaming], activities=[report]) as client:
        await started(client, Input(calls_activity=True))

        items = await first(3, WorkflowStreamClient.create(client, "w"), "progress")

        assert [item.data for item in items] == [0, 1, 2]


async def test_flush_returns_when_the_stream_has_it() -> None:
    """A value that is published ahead of the interval's end needs no flush."""
    async with worker([Streaming]) as client:
        await started(client, Input())
        stream = WorkflowStreamClient.create(client, "w", batch_interval=timedelta(hours=1))
        words = stream.topic("words", type=str)

        words.publish("flushed")
        await stream.flush()
        assert await stream.get_offset() == 1

        async with stream:
            words.publish("at once", force_flush=True)
            assert [item.data for item in await first(2, stream)] == ["flushed", "at once"]


async def test_a_batch_that_comes_twice_is_taken_once() -> None:
    """Its publisher's number tells; a batch without a publisher is always taken."""
    async with worker([Streaming]) as client:
        handle = await started(client, Input())
        payload = DataConverter.default.payload_converter.to_payloads(["x"])[0]
        batch = [PublishEntry("t", pack(payload))]

        for publisher, number in [
            ("p", 1),
            ("p", 1),
            ("q", 1),
            ("p", 2),
            ("p", 1),
            ("", 0),
            ("", 0),
        ]:
            await handle.signal(PUBLISH, PublishInput(batch, publisher, number))

        assert await WorkflowStreamClient.create(client, "w").get_offset() == 5


@both_ways
async def test_the_next_run_goes_on_with_the_stream(cached: int) -> None:
    """Offsets, items and publishers go along; a subscriber follows."""
    async with worker([Streaming], cached=cached) as client:
        handle = await started(client, Input(greetings=1))
        stream = WorkflowStreamClient.create(client, "w")
        latest: WorkflowHandle[Streaming, str] = client.get_workflow_handle_for(Streaming.run, "w")

        async def read() -> list[int]:
            return [item.offset async for item in stream.subscribe(poll_cooldown=AT_ONCE)]

        reading = asyncio.create_task(read())
        await until_polling(handle)
        await handle.signal(Streaming.end, "again")
        await until(latest.describe, lambda run: run.run_id != handle.result_run_id)
        await latest.execute_update(Streaming.note, "in the second run")
        assert [item.offset for item in await first(2, stream)] == [0, 1]

        await until_polling(latest)
        with pytest.warns(workflow.UnfinishedUpdateHandlersWarning):  # noqa: PT031  # the run's end
            await latest.signal(Streaming.end, "done")
            assert await reading == [0, 1]


async def test_truncated_items_are_gone_and_offsets_stay() -> None:
    """Whoever asks for them by name is told; a subscriber goes on with the first that is kept."""
    async with worker([Streaming]) as client:
        handle = await started(client, Input(greetings=4))
        stream = WorkflowStreamClient.create(client, "w")

        await handle.execute_update(Streaming.truncate, 3)

        assert [item.offset for item in await first(1, stream)] == [3]
        assert [item.offset for item in await first(1, stream, None, 1)] == [3]
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(POLL, PollInput(from_offset=1))
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == "TruncatedOffset"
        with pytest.raises(WorkflowUpdateFailedError) as failed:
            await handle.execute_update(Streaming.truncate, 5)
        assert isinstance(failed.value.cause, ApplicationError)
        assert failed.value.cause.type == "TruncateOutOfRange"
        assert await stream.get_offset() == 4


async def test_answers_are_of_bounded_size() -> None:
    """A subscriber gets all items all the same."""
    async with worker([Streaming]) as client:
        handle = await started(client, Input())
        stream = WorkflowStreamClient.create(client, "w")
        async with stream:
            for _ in range(6):
                stream.topic("large").publish("x" * 200_000)

        page = await handle.execute_update(POLL, PollInput(), result_type=PollResult)

        assert (len(page.items), page.next_offset, page.more_ready) == (2, 2, True)
        assert [item.offset for item in await first(6, stream)] == [*range(6)]


async def test_one_stream_made_in_init() -> None:
    """Made later, polls would have come before it."""
    async with worker([Streaming]) as client:
        handle = await started(client, Input())

        assert "@workflow.init" in await handle.execute_update(Streaming.make_another)


async def test_a_topic_has_one_type() -> None:
    """And that is not Payload, which nothing is decoded to."""
    async with worker([Streaming]) as client:
        stream = WorkflowStreamClient.create(client, "w")
        assert stream.topic("a", type=list[int]).type == list[int]
        assert stream.topic("a", type=list[int]).name == "a"

        with pytest.raises(RuntimeError, match="already bound to type"):
            stream.topic("a")
        with pytest.raises(RuntimeError, match="type=Payload"):
            stream.topic(
                "b", type=type(DataConverter.default.payload_converter.to_payloads([1])[0])
            )


async def test_what_cannot_be_sent_is_kept_until_it_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A workflow that is not there is said when the client is left; in the end the batch is dropped."""
    async with worker([Streaming]) as client:
        stream = WorkflowStreamClient.create(
            client, "none", max_retry_duration=timedelta(seconds=30)
        )
        with pytest.raises(RPCError) as refused:
            async with stream:
                stream.topic("a").publish(1)
        assert refused.value.status is RPCStatusCode.NOT_FOUND

        late = itertools.count(1e9, 60)
        monkeypatch.setattr("streamflow.contrib.workflow_streams.outbox.now_s", lambda: next(late))
        with pytest.raises(TimeoutError, match="max_retry_duration"):
            await stream.flush()
        await stream.flush()


async def test_a_subscriber_of_no_workflow_is_told() -> None:
    async with worker([Streaming]) as client:
        with pytest.raises(RPCError, match="none"):
            await first(1, WorkflowStreamClient.create(client, "none"))


async def test_a_stream_on_the_embedded_log() -> None:
    """Real time, real records."""
    async with (
        await WorkflowEnvironment.start_local() as env,
        serving(env.client, [Streaming], cached=0, activities=[report]),
    ):
        handle = await started(env.client, Input(greetings=1, calls_activity=True))
        stream = WorkflowStreamClient.create(env.client, "w")

        assert [item.topic for item in await first(4, stream)] == ["notes", *["progress"] * 3]
        await handle.signal(Streaming.end, "done")
        assert await handle.result() == "done"
