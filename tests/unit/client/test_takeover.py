"""What a client makes of owners that come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from streamflow.client import Client, RPCError, RPCStatusCode
from streamflow.client.log.conversation import ASK_AT_ONCE_MAX
from streamflow.client.log.requests import Timing
from streamflow.client.log.transport import LogTransport
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.log import MemoryLog
from streamflow.model.answers import Answer, Done, RunResult, TakenOver
from streamflow.model.commands import AwaitResult, Received
from streamflow.model.ids import RunId
from streamflow.model.options import Status
from streamflow.model.payload import Payload
from streamflow.ports import Committed, OutRecord, TopicPartition
from streamflow.topology import inbox_topic, partition_for, processor_group, replies_topic
from streamflow.wire.entities import encode
from streamflow.wire.envelope import EVERYBODY, REQUEST_ID
from streamflow.wire.offset_note import note
from tests.unit.client.responder import Responder

pytestmark = pytest.mark.asyncio

RUN = RunId("run-1")
INBOX = inbox_topic("default", "q")
PATIENT = Timing(sweep_s=0.005, resend_s=3600, renew_s=3600, unheard_s=3600)
SHORT = timedelta(milliseconds=20)


@pytest_asyncio.fixture
async def broker() -> MemoryBroker:
    return MemoryBroker()


@pytest_asyncio.fixture
async def client(broker: MemoryBroker) -> AsyncIterator[Client]:
    """Renews a long poll once an hour, if it hears nothing."""
    log = MemoryLog(broker, "client")
    async with Client(LogTransport(log, "default", create_topics=True, timing=PATIENT)) as client:
        yield client


class Owner:
    """Accepts starts, knows no waiter until it is asked, and then has the result."""

    def __init__(self, broker: MemoryBroker) -> None:
        self.knows = False
        self.responder = Responder(broker, "q", self._answer)

    def _answer(self, received: Received) -> Answer | None:
        if isinstance(received.command, AwaitResult):
            if not self.knows:
                return None
            value = Payload({"encoding": b"json/plain"}, b"7")
            return RunResult(run_id=RUN, status=Status.COMPLETED, result=value)
        return Done(run_id=RUN, first_run_id=RUN, started=True)

    @property
    def questions(self) -> int:
        return sum(isinstance(seen.command, AwaitResult) for seen in self.responder.seen)


def greet(broker: MemoryBroker, *partitions: int, topic: str = INBOX) -> None:
    """As the new owner of these partitions does."""
    taken = TakenOver(inbox_topic=topic, partitions=partitions)
    headers = ((REQUEST_ID, EVERYBODY.encode()),)
    replies = replies_topic("default")
    for partition in range(broker.topics()[replies].partitions):
        broker.append(OutRecord(replies, partition, None, encode(taken), headers))


async def test_who_waits_for_a_result_asks_the_new_owner_at_once(
    broker: MemoryBroker, client: Client
) -> None:
    """Instead of when its long poll would have been renewed, an hour later."""
    owner = Owner(broker)
    handle = await client.start_workflow("Greet", id="w", task_queue="q")
    waiting = asyncio.ensure_future(handle.result())
    await _turns()

    owner.knows = True
    greet(broker, partition_for("w", 2))

    assert await asyncio.wait_for(waiting, 5) == 7


async def test_the_new_owner_of_other_partitions_is_not_asked(
    broker: MemoryBroker, client: Client
) -> None:
    """Neither of another partition, nor of another queue."""
    owner = Owner(broker)
    handle = await client.start_workflow("Greet", id="w", task_queue="q")
    waiting = asyncio.ensure_future(handle.result())
    await _turns()
    mine = partition_for("w", 2)

    greet(broker, 1 - mine)
    greet(broker, mine, topic=inbox_topic("default", "other"))
    await _turns()

    assert owner.questions == 1
    waiting.cancel()


async def test_many_who_wait_do_not_all_ask_in_the_same_moment(
    broker: MemoryBroker, client: Client
) -> None:
    """So many at once, and the others after them at a rate."""
    owner = Owner(broker)
    handles = [
        await client.start_workflow("Greet", id=f"w{n}", task_queue="q")
        for n in range(2 * ASK_AT_ONCE_MAX)
    ]
    waiting = [asyncio.ensure_future(handle.result()) for handle in handles]
    await _turns()
    asked = owner.questions

    owner.knows = True
    greet(broker, 0, 1)
    await asyncio.sleep(0.002)

    assert owner.questions - asked <= ASK_AT_ONCE_MAX + 20
    assert await asyncio.wait_for(asyncio.gather(*waiting), 10) == [7] * len(waiting)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (None, "no owner and never had one"),
        (note(5, "", (), 1_700_000_000_000), "no owner since 2023-11-14T22:13:20.000"),
        (
            note(5, "pod-1", (), 1_700_000_000_000),
            "no owner since some time after 2023-11-14T22:13:20.000+00:00, when 'pod-1' did its last",
        ),
    ],
    ids=["never", "handed over", "died"],
)
async def test_a_deadline_says_since_when_the_partition_has_no_owner(
    broker: MemoryBroker, client: Client, left: str | None, expected: str
) -> None:
    """From what the last owner left beside its offset."""
    handle = await client.start_workflow("Greet", id="w", task_queue="q", rpc_timeout=SHORT)
    place = TopicPartition(INBOX, partition_for("w", broker.topics()[INBOX].partitions))
    if left is not None:
        group = broker.group(processor_group("default", "q"))
        group.positions.commit({place: Committed(0, left)})

    with pytest.raises(RPCError, match="no live processor") as caught:
        await handle.query("state", rpc_timeout=SHORT)

    assert caught.value.status is RPCStatusCode.DEADLINE_EXCEEDED
    assert expected in str(caught.value)


async def test_a_deadline_names_the_owner_that_did_not_answer(
    broker: MemoryBroker, client: Client
) -> None:
    """It is there, as far as the group knows, so the reader is not told to start another."""
    Responder(broker, "q", lambda _: None)

    with pytest.raises(RPCError, match="which 'responder-q' owns") as caught:
        await client.get_workflow_handle("w", task_queue="q").describe(rpc_timeout=SHORT)

    assert "Start a Worker" not in str(caught.value)


async def _turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
