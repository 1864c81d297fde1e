"""A worker that starts while the log is away: it waits, says so, and begins by itself."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.app import App
from streamflow.client import Client
from streamflow.client.log.transport import LogTransport
from streamflow.memory.broker import MemoryBroker
from streamflow.memory.faults import Rates
from streamflow.memory.log import MemoryLog
from streamflow.memory.simloop import SimLoop, simulate
from streamflow.ports import LogError, Unavailable
from streamflow.service import RPCError, RPCStatusCode
from streamflow.worker import Worker, reaching
from streamflow.worker.reaching import AWAITED_S, StoppedWaiting, once_reached

NEVER = Rates(unavailable=1)


@activity.defn
async def greet() -> str:
    return "hello"


@workflow.defn
class Hello:
    @workflow.run
    async def run(self) -> str:
        return "hello"


def scene(
    play: Callable[[SimLoop, MemoryBroker, Worker, Client], Coroutine[Any, Any, None]],
) -> None:
    """A worker whose log is away from the beginning."""

    async def main(loop: SimLoop) -> None:
        broker = MemoryBroker(clock=loop.clock)
        client = Client(LogTransport(MemoryLog(broker, "w"), "default", create_topics=True))
        worker = Worker(client, task_queue="q", workflows=[Hello], activities=[greet])
        broker.faults.rates = NEVER
        await play(loop, broker, worker, client)

    simulate(main)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "log_unavailable" in r.getMessage()]


def test_it_begins_when_the_log_is_back(caplog: pytest.LogCaptureFixture) -> None:
    async def play(loop: SimLoop, broker: MemoryBroker, worker: Worker, client: Client) -> None:
        running = asyncio.ensure_future(worker.run())
        await asyncio.sleep(AWAITED_S / 2)
        assert not running.done()
        broker.faults.calm()

        result = await client.execute_workflow(Hello.run, id="w", task_queue="q")

        assert result == "hello"
        await worker.shutdown()
        await running

    with caplog.at_level(logging.WARNING):
        scene(play)
    assert 10 < len(warnings(caplog)) < 40


def test_it_ends_with_what_the_log_says_after_a_while() -> None:
    async def play(loop: SimLoop, broker: MemoryBroker, worker: Worker, client: Client) -> None:
        began = loop.time()
        with pytest.raises(Unavailable):
            await worker.run()
        assert AWAITED_S <= loop.time() - began < AWAITED_S + reaching.WAIT_S_MAX

    scene(play)


def test_it_may_be_shut_down_meanwhile() -> None:
    async def play(loop: SimLoop, broker: MemoryBroker, worker: Worker, client: Client) -> None:
        running = asyncio.ensure_future(worker.run())
        await asyncio.sleep(20)
        began = loop.time()
        await worker.shutdown()
        await running
        assert loop.time() - began < 1

    scene(play)


# -- the waiting itself -----------------------------------------------------------------------------------------------


def test_each_warning_names_the_address(caplog: pytest.LogCaptureFixture) -> None:
    """So that one which is wrong is seen at once."""
    answers: list[Exception | str] = [Unavailable("no answer"), _of_a_client(), "there"]

    async def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def main(loop: SimLoop) -> str:
        return await once_reached(call, "kafka.wrong:9092")

    with caplog.at_level(logging.WARNING):
        assert simulate(main) == "there"
    assert ["kafka.wrong:9092" in said for said in warnings(caplog)] == [True, True]


@pytest.mark.parametrize(
    "error",
    [
        LogError("credentials are refused"),
        RPCError("the folder is taken", RPCStatusCode.UNAVAILABLE),
    ],
)
def test_what_waiting_does_not_mend_is_raised_at_once(error: Exception) -> None:
    async def call() -> None:
        raise error

    async def main(loop: SimLoop) -> None:
        began = loop.time()
        with pytest.raises(type(error)):
            await once_reached(call, "kafka:9092")
        assert loop.time() == began

    simulate(main)


def test_who_is_told_to_stop_does_not_wait() -> None:
    async def call() -> None:
        raise Unavailable("no answer")

    async def main(loop: SimLoop) -> None:
        stopping = asyncio.Event()
        loop.call_later(3, stopping.set)
        with pytest.raises(StoppedWaiting):
            await once_reached(call, "kafka:9092", stopping=stopping)
        assert loop.time() < 4

    simulate(main)


def test_an_app_waits_for_its_connection_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first to ask is its client, which by itself gives up at once."""
    connect, tries = Client.connect, 0

    async def later(*args: Any, **options: Any) -> Client:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise _of_a_client()
        return await connect(*args, **options)

    monkeypatch.setattr(Client, "connect", later)
    monkeypatch.setattr(reaching, "FIRST_WAIT_S", 0.001)

    async def main() -> str:
        running = asyncio.ensure_future(App("q", workflows=[Hello]).run("memory:outage"))
        async with await connect("memory:outage") as client:
            result: str = await client.execute_workflow(Hello.run, id="w", task_queue="q")
        running.cancel()
        await asyncio.wait([running])
        return result

    assert asyncio.run(main()) == "hello"
    assert tries == 3


def _of_a_client() -> RPCError:
    error = RPCError("no answer", RPCStatusCode.UNAVAILABLE)
    error.__cause__ = Unavailable("no answer")
    return error
