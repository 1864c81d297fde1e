"""A payload codec from client to worker and back: with one that encrypts, no topic holds a readable value."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

import msgspec
import pytest

from streamflow import activity, workflow
from streamflow.client import (
    Client,
    WorkflowFailureError,
    WorkflowHistory,
    WorkflowQueryFailedError,
)
from streamflow.common import RetryPolicy
from streamflow.converter import (
    DataConverter,
    DefaultFailureConverterWithEncodedAttributes,
    PayloadCodec,
)
from streamflow.exceptions import ActivityError, ApplicationError
from streamflow.memory.log import MemoryLog
from streamflow.model.payload import Payload
from streamflow.worker import Worker

pytestmark = pytest.mark.asyncio

QUEUE = "vault"
LIMIT = timedelta(seconds=10)
SECRET = "mellon"
"""In every value that passes; in no record."""
ENCODING = b"binary/scrambled"


class Scrambler(PayloadCodec):
    """Packs all payloads of a call into one, whose bytes nobody can read."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [Payload({"encoding": ENCODING}, _scrambled(msgspec.msgpack.encode(payloads)))]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        assert all(payload.metadata["encoding"] == ENCODING for payload in payloads), payloads
        return [
            plain
            for payload in payloads
            for plain in msgspec.msgpack.decode(_scrambled(payload.data), type=list[Payload])
        ]


def _scrambled(data: bytes) -> bytes:
    return bytes(byte ^ 0x5A for byte in data)


@activity.defn
async def open_door(first: str, second: str) -> str:
    return f"{first} {second}"


@activity.defn
async def resume() -> str:
    if activity.info().attempt == 1:
        activity.heartbeat(f"{SECRET} so far", 1)
        raise ApplicationError(f"{SECRET} again")
    return " ".join(map(str, activity.info().heartbeat_details))


@activity.defn
async def refuse() -> NoReturn:
    raise ApplicationError(f"{SECRET} is wrong", f"{SECRET} detail", 2, non_retryable=True)


@workflow.defn
class Door:
    def __init__(self) -> None:
        self.words: list[str] = []

    @workflow.run
    async def run(self, first: str, second: str) -> list[str]:
        opened = await workflow.execute_activity(
            open_door, args=[first, second], start_to_close_timeout=LIMIT
        )
        local = await workflow.execute_local_activity(
            open_door, args=[first, "local"], start_to_close_timeout=LIMIT
        )
        resumed = await workflow.execute_activity(
            resume,
            start_to_close_timeout=LIMIT,
            retry_policy=RetryPolicy(initial_interval=timedelta(milliseconds=1)),
        )
        await workflow.wait_condition(lambda: len(self.words) == 2)
        return [opened, local, resumed, *self.words]

    @workflow.signal
    def say(self, first: str, second: str) -> None:
        self.words += (first, second)

    @workflow.query
    def heard(self, prefix: str, suffix: str) -> str:
        return f"{prefix}{self.words}{suffix}"

    @workflow.query
    def broken(self) -> str:
        raise ApplicationError(f"{SECRET} query", f"{SECRET} detail")


@workflow.defn
class Refused:
    @workflow.run
    async def run(self, left: int, note: str) -> None:
        if left:
            workflow.continue_as_new(args=[left - 1, note])
        await workflow.execute_activity(refuse, start_to_close_timeout=LIMIT)


async def test_nothing_readable_is_in_any_topic_and_everything_arrives() -> None:
    """Arguments, results, signals, queries, heartbeats, failures with their details, and continued runs."""
    converter = DataConverter(
        payload_codec=Scrambler(),
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )
    target = f"memory:{uuid.uuid4()}"
    async with await Client.connect(target, data_converter=converter) as client:
        async with Worker(
            client,
            task_queue=QUEUE,
            workflows=[Door, Refused],
            activities=[open_door, resume, refuse],
        ):
            handle = await client.start_workflow(
                Door.run,
                args=[SECRET, "two"],
                id="door",
                task_queue=QUEUE,
                memo={"note": f"{SECRET} memo"},
            )
            await handle.signal(Door.say, args=[f"{SECRET} a", "b"])
            assert await handle.query(Door.heard, args=[f"{SECRET}<", ">"]) == (
                f"{SECRET}<['{SECRET} a', 'b']>"
            )
            with pytest.raises(WorkflowQueryFailedError) as query:
                await handle.query(Door.broken)
            assert await handle.result() == [
                f"{SECRET} two",
                f"{SECRET} local",
                f"{SECRET} so far 1",
                f"{SECRET} a",
                "b",
            ]
            assert await (await handle.describe()).memo() == {"note": f"{SECRET} memo"}
            with pytest.raises(WorkflowFailureError) as failed:
                await client.execute_workflow(
                    Refused.run, args=[2, f"{SECRET} note"], id="refused", task_queue=QUEUE
                )
            history = await handle.fetch_history()
        # Another processor replays from what is stored.
        async with Worker(client, task_queue=QUEUE, workflows=[Door, Refused]):
            assert SECRET in await handle.query(Door.heard, args=["", ""])
        readable = _readable(client)

    asked = query.value.__cause__
    assert isinstance(asked, ApplicationError)
    assert (asked.message, list(asked.details)) == (f"{SECRET} query", [f"{SECRET} detail"])
    activity_error = failed.value.cause
    assert isinstance(activity_error, ActivityError)
    cause = activity_error.cause
    assert isinstance(cause, ApplicationError)
    assert (cause.message, list(cause.details)) == (f"{SECRET} is wrong", [f"{SECRET} detail", 2])
    assert SECRET not in history.to_json()
    assert WorkflowHistory.from_json("door", history.to_json()) == history
    assert readable == []


def _readable(client: Client) -> list[str]:
    """Topics with records that show the secret."""
    log = client.log
    assert isinstance(log, MemoryLog)
    return [
        f"{topic}: {record.value!r}"
        for topic in log.broker.topics()
        for record in log.broker.records(topic)
        if SECRET.encode() in (record.value or b"")
    ]
