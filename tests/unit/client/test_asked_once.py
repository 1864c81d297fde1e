"""Many callers with one question: the log is asked once, and each gets the answer."""

from __future__ import annotations

import asyncio

import pytest

from streamflow.client.log.asked_once import AskedOnce

pytestmark = pytest.mark.asyncio


class Slow:
    """Answers when it is told what."""

    def __init__(self) -> None:
        self.times = 0
        self.answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def ask(self) -> str:
        self.times += 1
        return await self.answer


async def begun(asked: AskedOnce[str], slow: Slow, about: str) -> asyncio.Task[str]:
    task = asyncio.ensure_future(asked(about, slow.ask))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_callers_of_one_moment_share_an_answer() -> None:
    asked, slow = AskedOnce[str](), Slow()
    tasks = [await begun(asked, slow, "members") for _ in range(100)]
    slow.answer.set_result("two")

    assert await asyncio.gather(*tasks) == ["two"] * 100
    assert slow.times == 1


async def test_what_is_asked_later_or_about_another_is_asked_anew() -> None:
    asked, slow = AskedOnce[str](), Slow()
    slow.answer.set_result("two")

    assert await asked("members", slow.ask) == "two"
    assert await asked("members", slow.ask) == "two"
    assert await asked("owners", slow.ask) == "two"
    assert slow.times == 3


async def test_a_caller_who_is_gone_takes_nothing_from_the_others() -> None:
    asked, slow = AskedOnce[str](), Slow()
    gone, stays = await begun(asked, slow, "members"), await begun(asked, slow, "members")
    gone.cancel()
    await asyncio.wait([gone])
    slow.answer.set_result("two")

    assert await stays == "two"
    assert gone.cancelled()
    assert slow.times == 1


async def test_each_is_told_what_went_wrong() -> None:
    asked, slow = AskedOnce[str](), Slow()
    tasks = [await begun(asked, slow, "members") for _ in range(3)]
    slow.answer.set_exception(OSError("no broker"))

    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(error) for error in ended] == ["no broker"] * 3
    assert await asked("members", lambda: asyncio.sleep(0, "again")) == "again"


async def test_nobody_is_kept_waiting_by_the_end() -> None:
    asked, slow = AskedOnce[str](), Slow()
    task = await begun(asked, slow, "members")
    asked.cancel()
    await asyncio.wait([task], timeout=5)

    assert task.cancelled()
