"""What should never have been put into an inbox: kept with the reason or answered with it, while the partition goes on."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from confluent_kafka import Message, Producer

from streamflow import topology
from streamflow.cli.shared.exits import run
from streamflow.client import Client
from streamflow.kafka import KafkaLog
from streamflow.model.answers import Answer, Reason, Rejection
from streamflow.model.commands import Envelope, SignalWorkflow
from streamflow.model.ids import MessageId, WorkflowId
from streamflow.model.tasks import CancelTask
from streamflow.ports import TopicPartition
from streamflow.wire.inbox import decode_reply, to_inbox
from streamflow.worker import Worker
from tests.faults import orders
from tests.faults.raw import Topic

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

QUEUE = "orders"
PARTITIONS = 2
START = {"type": "start", "workflow": "Order", "args": [3]}
ERRORS = "__connect.errors."


class Inbox:
    """The inbox of a queue with a processor behind it, as anyone can write to it."""

    def __init__(self, client: Client, bootstrap: str, namespace: str) -> None:
        self.client = client
        self.bootstrap = bootstrap
        self.namespace = namespace
        self.topic = topology.inbox_topic(namespace, QUEUE)
        self._producer = Producer(
            {"bootstrap.servers": bootstrap, "message.max.bytes": 2_000_000, "linger.ms": 0}
        )

    def put(
        self,
        key: bytes | None,
        value: bytes | None,
        *,
        partition: int,
        headers: dict[str, bytes] | None = None,
    ) -> None:
        refused: list[object] = []
        self._producer.produce(
            self.topic,
            value,
            key,
            partition,
            headers=dict(headers or {}),
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )
        self._producer.flush(30)
        assert not refused, refused

    async def goes_on(self, partition: int) -> None:
        """A well-formed order behind everything that was put there comes to its end."""
        order = next(f"good-{n}" for n in range(1_000) if home(f"good-{n}") == partition)
        self.put(order.encode(), json.dumps(START).encode(), partition=partition)
        handle = self.client.get_workflow_handle(order)
        description = None
        for _ in range(200):
            description = await _described(handle)
            if description == "FAILED":
                return
        raise AssertionError(f"{order} did not end: {description}")

    def dead_letters(self) -> list[Message]:
        with Topic(self.bootstrap, topology.dead_letters_topic(self.namespace)) as topic:
            return topic.rest()


async def _described(handle: object) -> str:
    """The status; a run that is not there yet has none."""
    from streamflow.service import RPCError

    try:
        description = await handle.describe()  # type: ignore[attr-defined]
    except RPCError:
        await asyncio.sleep(0.1)
        return "not found"
    if description.status.name == "RUNNING":
        await asyncio.sleep(0.1)
    return str(description.status.name)


def home(workflow_id: str) -> int:
    return topology.partition_for(workflow_id, PARTITIONS)


def reason(letter: Message) -> str:
    return dict(letter.headers() or [])[f"{ERRORS}exception.message"].decode()  # type: ignore[union-attr]


@pytest_asyncio.fixture
async def inbox(
    kafka_bootstrap: str, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Inbox]:
    monkeypatch.setenv("WITNESS", str(tmp_path / "witness.jsonl"))
    async with await Client.connect(
        kafka_bootstrap, namespace=namespace, create_topics=True
    ) as client:
        worker = Worker(
            client,
            task_queue=QUEUE,
            workflows=[orders.Order],
            activities=orders.ACTIVITIES,
            activity_executor=ThreadPoolExecutor(10),
            name="p",
            state_dir=tmp_path,
            partitions=PARTITIONS,
        )
        async with worker:
            yield Inbox(client, kafka_bootstrap, namespace)


class Bad(NamedTuple):
    key: bytes | None
    value: bytes | None
    why: str
    """What the dead letter's reason says."""


BAD = {
    "no JSON": Bad(b"bad", b"{not json", "JSON"),
    "binary": Bad(b"bad", bytes(range(256)), "JSON"),
    "foreign Avro": Bad(b"bad", b"\xc3\x01" + bytes(12), "schema"),
    "no value": Bad(b"bad", None, "no value"),
    "keyless": Bad(None, json.dumps(START).encode(), "no key"),
    "key is no text": Bad(b"\xff\xfe", json.dumps(START).encode(), "UTF-8"),
    "key contradicted": Bad(b"bad", json.dumps({**START, "id": "other"}).encode(), "other"),
    "unknown command": Bad(b"bad", b'{"type":"explode"}', "explode"),
    "unknown field": Bad(b"bad", json.dumps({**START, "arg": 1}).encode(), "arg"),
    "signal to nobody": Bad(b"bad", b'{"type":"signal","signal":"picked_up"}', "bad"),
    "oversized": Bad(b"bad", b'"' + b"x" * 1_080_000 + b'"', "1048576"),
    "just too large for its reasons": Bad(b"bad", b"x" * 1_048_570, "JSON"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
async def test_a_bad_record_becomes_a_dead_letter_and_its_partition_goes_on(
    inbox: Inbox, bad: Bad
) -> None:
    """The letter names the place it came from and what was wrong; what is behind it is not held up."""
    partition = home("bad") if bad.key == b"bad" else 0

    inbox.put(bad.key, bad.value, partition=partition, headers={"mine": b"kept"})
    await inbox.goes_on(partition)

    [letter] = inbox.dead_letters()
    headers = dict(letter.headers() or [])
    assert letter.key() == bad.key
    assert bad.why in reason(letter)
    assert headers[f"{ERRORS}topic"] == inbox.topic.encode()
    assert headers[f"{ERRORS}partition"] == str(partition).encode()
    assert headers[f"{ERRORS}offset"] == b"0"
    assert headers["mine"] == b"kept"
    whole = bad.value is None or len(bad.value) < 1_000_000
    assert (letter.value() == bad.value) is whole


async def test_who_asks_for_an_answer_is_told_what_was_wrong(inbox: Inbox) -> None:
    """With a reply address the reason comes back, whether the record was unreadable or its workflow unknown."""
    replies = topology.replies_topic(inbox.namespace)
    partition = home("bad")

    inbox.put(
        b"bad",
        b"{not json",
        partition=partition,
        headers={"sf-reply-to": f"{replies}/0/unreadable".encode()},
    )
    inbox.put(
        b"bad",
        b'{"type":"signal","signal":"picked_up"}',
        partition=partition,
        headers={"sf-reply-to": f"{replies}/0/unknown".encode()},
    )
    await inbox.goes_on(partition)

    answers: dict[str, Answer | CancelTask] = {}
    log = inbox.client.log
    reader = log.reader()
    where = TopicPartition(replies, 0)
    for batch in reader.read(where, 0, reader.end_offset(where)):
        answers.update(decode_reply(record) for record in batch)
    reader.close()
    unreadable, unknown = answers["unreadable"], answers["unknown"]
    assert isinstance(unreadable, Rejection)
    assert unreadable.reason is Reason.INVALID_ARGUMENT
    assert isinstance(unknown, Rejection)
    assert unknown.reason is Reason.NOT_FOUND
    assert [letter.key() for letter in inbox.dead_letters()] == [b"bad"]


async def test_a_record_on_the_wrong_partition_is_forwarded(inbox: Inbox) -> None:
    """A producer with another idea of placement still reaches its workflow, once."""
    order = "misplaced"
    wrong = 1 - home(order)

    inbox.put(order.encode(), json.dumps(START).encode(), partition=wrong)
    handle = inbox.client.get_workflow_handle(order)
    while await _described(handle) != "FAILED":
        pass

    assert inbox.dead_letters() == []


async def test_a_record_forwarded_to_a_wrong_partition_is_kept_as_a_dead_letter(
    inbox: Inbox,
) -> None:
    """Two of us who disagree about placement do not play ping-pong."""
    order = "misplaced"
    wrong = 1 - home(order)

    inbox.put(
        order.encode(),
        json.dumps(START).encode(),
        partition=wrong,
        headers={"sf-forwarded": b"elsewhere/0/0"},
    )
    await inbox.goes_on(wrong)

    [letter] = inbox.dead_letters()
    assert "forwarded" in reason(letter)


async def test_an_oversized_record_on_the_wrong_partition_holds_nobody_up(inbox: Inbox) -> None:
    """Forwarding adds a header: what then fits no more becomes a dead letter."""
    order = "misplaced"
    wrong = 1 - home(order)
    start = {**START, "memo": {"x": "y" * 1_048_300}}
    value = json.dumps(start).encode()
    assert len(value) <= 1_048_576

    inbox.put(order.encode(), value, partition=wrong)
    await inbox.goes_on(wrong)

    [letter] = inbox.dead_letters()
    assert letter.key() == order.encode()


async def test_a_stale_internal_command_is_dropped_in_silence(inbox: Inbox) -> None:
    """Our own encoding is judged alike: a signal to nobody by Avro is a dead letter too."""
    command = SignalWorkflow(workflow_id=WorkflowId("bad"), signal_name="picked_up")
    record = to_inbox(inbox.topic, home("bad"), command, Envelope(message_id=MessageId("m")))

    inbox.put(record.key, record.value, partition=record.partition)
    await inbox.goes_on(record.partition)

    [letter] = inbox.dead_letters()
    assert letter.value() == record.value


@pytest.mark.parametrize("letter_bytes_max", [2_000, 100], ids=["without its value", "not at all"])
async def test_a_dead_letter_that_the_broker_refuses_holds_nothing_up(
    inbox: Inbox, letter_bytes_max: int
) -> None:
    """Its topic takes only small records: so much is kept of it as goes, and the partition goes on."""
    partition = home("bad")
    with closing(KafkaLog.connect(inbox.bootstrap)) as log:
        letters = topology.dead_letters_topic(inbox.namespace)
        log.alter_topics({letters: {"max.message.bytes": str(letter_bytes_max)}})

    inbox.put(b"bad", b"x" + random.Random(1).randbytes(10_000), partition=partition)
    await inbox.goes_on(partition)

    found = inbox.dead_letters()
    assert len(found) == (letter_bytes_max > 1_000)
    for letter in found:
        assert (letter.key(), letter.value()) == (b"bad", None)
        assert "without its value" in reason(letter)


async def test_a_letter_is_redriven_from_the_command_line_and_takes_effect_once(
    inbox: Inbox, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when it is sent twice: both copies have one name."""
    at = ["-n", inbox.namespace, "--kafka", inbox.bootstrap]
    signal = json.dumps({"type": "signal", "signal": "picked_up"}).encode()
    inbox.put(b"late", signal, partition=home("late"))
    await inbox.goes_on(home("late"))
    handle = await inbox.client.start_workflow("Order", 1, id="late", task_queue=QUEUE)
    assert await asyncio.to_thread(run, ["dlq", "list", "-o", "json", *at]) == 0
    [listed] = json.loads(capsys.readouterr().out)
    assert (listed["workflow_id"], listed["reason"]) == ("late", "address")

    for words in ([], ["--again"]):
        sent = await asyncio.to_thread(run, ["dlq", "redrive", listed["id"], *words, *at])
        assert sent == 0, capsys.readouterr()
    await handle.signal("delivered")
    assert await handle.result() == orders.RATED

    told = [event.recorded async for event in handle.fetch_history_events()]
    heard = [type(one.event).__name__ for one in told if one is not None]
    assert heard.count("SignalReceived") == 2
    assert await asyncio.to_thread(run, ["dlq", "list", *at]) == 0
    assert "There is no such letter." in capsys.readouterr().out
