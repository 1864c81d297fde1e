"""A small grammar of workflow programs, as data, and the workflow that runs any of them.

A program is a tuple of statements; what a statement waits for, the test decides by what it tells the world.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from streamflow import workflow
from streamflow.exceptions import (
    ActivityError,
    ChildWorkflowError,
    FailureError,
    WorkflowAlreadyStartedError,
)
from streamflow.model.intents import CancelTimer, ScheduleActivity, StartTimer
from streamflow.model.options import Status
from streamflow.model.relations import CancelExternal, SignalExternal, StartChild
from tests.unit.coroutine.world import World, failure

MINUTE = timedelta(minutes=1)
TIMER = ""
CHILD, STARTED, MESSAGE = "child", "started child", "message"
KINDS = list(workflow.ActivityCancellationType)
CHILD_KINDS = list(workflow.ChildWorkflowCancellationType)

simple = st.one_of(
    st.tuples(st.just("act"), st.sampled_from("abc"), st.sampled_from([0, 1, 2])),
    st.tuples(st.just("local"), st.sampled_from("abc")),
    st.tuples(st.just("child"), st.sampled_from("abc"), st.sampled_from([0, 1, 2, 3])),
    st.tuples(st.just("tell"), st.sampled_from("abc"), st.booleans()),
    st.tuples(st.just("sleep"), st.integers(0, 3)),
    st.tuples(st.just("wait"), st.integers(0, 2), st.sampled_from([None, 0, 2])),
    st.tuples(st.just("chance"), st.just(0)),
    st.tuples(st.just("yield"), st.just(0)),
)
programs = st.recursive(
    st.lists(simple, min_size=1, max_size=3),
    lambda inner: st.lists(
        st.one_of(
            simple,
            st.tuples(
                st.sampled_from(["gather", "group", "first", "completed"]),
                st.lists(inner, min_size=1, max_size=3),
            ),
            st.tuples(st.sampled_from(["timeout", "shield", "catch", "cancelled"]), inner),
        ),
        min_size=1,
        max_size=3,
    ),
    max_leaves=8,
)


@workflow.defn(failure_exception_types=[Exception])
class Program:
    """Runs a program. Whatever it saw is its result."""

    def __init__(self) -> None:
        self.signals = 0
        self.seen: list[Any] = []

    @workflow.run
    async def run(self, program: list[Any]) -> list[Any]:
        await self.block(program)
        return self.seen

    @workflow.signal
    async def poke(self, number: int) -> None:
        self.signals += 1
        self.seen.append(f"signal {number}")
        if number % 2:
            await self.block([["act", "by signal", 0]])

    async def block(self, statements: list[Any]) -> None:
        for statement in statements:
            await getattr(self, "do_" + statement[0])(*statement[1:])

    async def do_act(self, name: str, kind: int) -> None:
        options: dict[str, Any] = {"cancellation_type": KINDS[kind]}
        try:
            result = await workflow.execute_activity(name, start_to_close_timeout=MINUTE, **options)
            self.seen.append(result)
        except ActivityError as error:
            self.seen.append(type(error.cause).__name__)

    async def do_local(self, name: str) -> None:
        self.seen.append(await workflow.execute_local_activity(name, start_to_close_timeout=MINUTE))

    async def do_child(self, name: str, kind: int) -> None:
        try:
            handle = await workflow.start_child_workflow(name, cancellation_type=CHILD_KINDS[kind])
            self.seen.append(handle.first_execution_run_id)
            self.seen.append(await handle)
        except WorkflowAlreadyStartedError as error:
            self.seen.append(error.workflow_type)
        except ChildWorkflowError as error:
            self.seen.append(type(error.cause).__name__)

    async def do_tell(self, name: str, cancels: bool) -> None:
        other = workflow.get_external_workflow_handle(name)
        try:
            await (other.cancel() if cancels else other.signal("hello", name))
            self.seen.append("told")
        except FailureError as error:
            self.seen.append(error.message)

    async def do_sleep(self, seconds: int) -> None:
        await asyncio.sleep(seconds)
        self.seen.append(workflow.now().isoformat())

    async def do_wait(self, more: int, limit: int | None) -> None:
        wanted = self.signals + more
        try:
            await workflow.wait_condition(lambda: self.signals >= wanted, timeout=limit)
        except TimeoutError:
            self.seen.append("waited in vain")

    async def do_chance(self, _: int) -> None:
        self.seen.append([workflow.random().randint(0, 1_000_000), str(workflow.uuid4())])

    async def do_yield(self, _: int) -> None:
        await asyncio.sleep(0)

    async def do_gather(self, blocks: list[Any]) -> None:
        await asyncio.gather(*(self.block(block) for block in blocks))

    async def do_group(self, blocks: list[Any]) -> None:
        async with asyncio.TaskGroup() as group:
            for block in blocks:
                group.create_task(self.block(block))

    async def do_first(self, blocks: list[Any]) -> None:
        tasks = [asyncio.create_task(self.block(block)) for block in blocks]
        done, pending = await asyncio.wait(set(tasks), return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        self.seen.append([tasks.index(task) for task in done])
        await asyncio.gather(*tasks, return_exceptions=True)

    async def do_completed(self, blocks: list[Any]) -> None:
        async def number(index: int, block: Any) -> int:
            await self.block(block)
            return index

        each = [number(index, block) for index, block in enumerate(blocks)]
        for next_ in asyncio.as_completed(each):
            self.seen.append(await next_)

    async def do_timeout(self, block: list[Any]) -> None:
        try:
            async with asyncio.timeout(2):
                await self.block(block)
        except TimeoutError:
            self.seen.append("timed out")

    async def do_shield(self, block: list[Any]) -> None:
        task = asyncio.create_task(self.block(block))
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            self.seen.append("shielded")
            await task
            raise

    async def do_catch(self, block: list[Any]) -> None:
        try:
            await self.block(block)
        except Exception as error:
            self.seen.append(type(error).__name__)
        finally:
            self.seen.append("finally")

    async def do_cancelled(self, block: list[Any]) -> None:
        task = asyncio.create_task(self.block(block))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def play(
    program: Any,
    choose: Callable[[int], int],
    *,
    steps_max: int = 30,
    between: Callable[[World], object] = lambda world: None,
) -> World:
    """Runs a program to its end, or for so many steps, in a world that answers as ``choose`` says."""
    world = World(Program, program)
    open_ops: dict[int, str] = {}
    cancelled = False
    for _ in range(steps_max):
        for intent in world.step():
            if isinstance(intent, ScheduleActivity):
                open_ops[intent.op] = intent.activity_type
            elif isinstance(intent, StartTimer):
                open_ops[intent.op] = TIMER
            elif isinstance(intent, CancelTimer):
                del open_ops[intent.op]
            elif isinstance(intent, StartChild):
                open_ops[intent.op] = CHILD
            elif isinstance(intent, SignalExternal | CancelExternal):
                open_ops[intent.op] = MESSAGE
        if world.instance.done:
            break
        between(world)
        told = False
        for op in list(open_ops):
            if choose(3) == 0 or (op == max(open_ops) and not told):
                told = True
                name = open_ops.pop(op)
                if name is CHILD and choose(5):
                    world.child_started(op)
                    open_ops[op] = STARTED
                elif name is CHILD:
                    world.child_refused(op)
                elif name is STARTED:
                    why = failure() if choose(3) == 0 else None
                    status = Status.FAILED if why else Status.COMPLETED
                    world.child_closed(op, f"child {op}", status=status, why=why)
                elif name is MESSAGE:
                    world.answered(op, failure() if choose(3) == 0 else None)
                elif name is TIMER:
                    world.pass_ms(choose(2_000)).fire(op)
                elif choose(4) == 0 and name != "by signal":
                    world.report_canceled(op)
                else:
                    world.complete(op, f"{name}{op}")
        if choose(4) == 0 or not told:
            world.signal("poke", choose(10))
        if choose(12) == 0 and not cancelled:
            cancelled = True
            world.cancel()
    return world
