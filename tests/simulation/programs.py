"""The code under simulation: a workflow that carries out a list of steps, and activities that write down what they do.

A program is data, so that a seed can draw it and the checker can say what it must return. The witness list is the test's
own memory: it survives crashes, and is no part of the engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from streamflow import activity, workflow
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError, ApplicationError, is_cancelled_exception
from tests.simulation import composites
from tests.simulation.composites import LATE, Step

HEARD = "heard"
TOLD = "told"
NOBODY = "nobody"
REFUSED = "Refused"
SIDE_QUEUE = "side"
"""A queue for activities alone, which is made while the simulation runs."""

_POLICY = RetryPolicy(
    initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=2)
)
_ONCE = RetryPolicy(maximum_attempts=1)


def value_of(number: int) -> int:
    """What an activity makes of its number."""
    return 3 * number + 1


def changed(value: str) -> str:
    """What an update that is accepted comes to."""
    return f"{value} is done"


def child_id(parent_id: str, n: int) -> str:
    """The child that a step with this number starts."""
    return f"{parent_id}/{n}"


def allowed(step: Step) -> list[Any]:
    """Every result that a step may have."""
    match step:
        case ["act" | "local" | "side", int(n), *_]:
            return [value_of(n)]
        case ["child", int(n), *_]:
            return [value_of(n)]
        case ["tell", *_]:
            return [TOLD, NOBODY]
        case ["once", int(n), *_]:
            return [value_of(n), LATE]
        case ["race", int(n), *_]:
            return [value_of(n), LATE]
        case ["fan", list(numbers)]:
            return [[value_of(n) for n in numbers]]
        case ["hear", int(), int()]:
            return [HEARD, LATE]
        case ["hear", int(), None]:
            return [HEARD]
        case ["sleep" | "bug" | "again", *_]:
            return [None]
        case _:
            raise AssertionError(step)


@workflow.defn(name="Program")
class Program:
    """Version 1: its ``bug`` step raises. Remembers every signal in the order in which it came."""

    heals = False

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.results: list[Any] = []

    @workflow.run
    async def run(self, steps: list[Any], heard: list[str], results: list[Any]) -> dict[str, Any]:
        # Signals of the first activation came before this.
        self.heard[:0] = heard
        self.results = results
        for index, step in enumerate(steps):
            if step[0] == "again":
                rest = steps[index + 1 :]
                workflow.continue_as_new(args=[rest, self.heard, [*self.results, None]])
            try:
                self.results.append(await self._step(step))
            except BaseException as error:
                if not is_cancelled_exception(error):
                    raise
                await self._act(-1, {})  # cleaning up takes an activity
                raise
        return {"heard": self.heard, "results": self.results}

    @workflow.signal
    def note(self, value: str) -> None:
        self.heard.append(value)

    @workflow.update(unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    async def change(self, value: str) -> str:
        await asyncio.sleep(0.02)
        return changed(value)

    @change.validator
    def _refuse(self, value: str) -> None:
        if value.endswith("bad"):
            raise ApplicationError("as planned", type=REFUSED)

    @workflow.query
    def notes(self) -> list[str]:
        return self.heard

    async def _step(self, step: Step) -> Any:
        match step:
            case ["act", n, how]:
                return await self._act(n, how)
            case ["once", n, how]:
                return await self._once(n, how)
            case ["side", n, how]:
                return await self._act(n, how, queue=SIDE_QUEUE)
            case ["local", n, how]:
                return await workflow.execute_local_activity(
                    "work",
                    args=[n, how],
                    start_to_close_timeout=timedelta(seconds=10),
                    retry_policy=_POLICY,
                )
            case ["race", n, how, limit_ms]:
                try:
                    return await asyncio.wait_for(self._act(n, how), limit_ms / 1000)
                except TimeoutError:
                    return LATE
                except ActivityError as error:
                    # Cancelled because it was late, unless the whole run is.
                    if is_cancelled_exception(error) and workflow.cancellation_reason() is None:
                        return LATE
                    raise
            case ["fan", numbers]:
                return await asyncio.gather(*(self._act(n, {"ms": 10 * n}) for n in numbers))
            case ["child", n, how]:
                return await self._child(n, how)
            case ["tell", target, value]:
                return await self._tell(target, value)
            case ["sleep", ms]:
                await asyncio.sleep(ms / 1000)
            case ["hear", count, limit_ms]:
                return await self._hear(count, limit_ms)
            case ["bug"]:
                if not self.heals:
                    raise RuntimeError("a planned bug of version 1")
            case ["fail"]:
                raise ApplicationError("a planned failure", type="Planned")
            case [kind, *_] if kind in composites.KINDS:
                return await composites.carry_out(step, self._step, patched=self.heals)
            case _:
                raise ApplicationError(f"unknown step {step}")
        return None

    async def _act(self, n: int, how: dict[str, Any], *, queue: str | None = None) -> Any:
        beat = how.get("beat")
        return await workflow.execute_activity(
            "work",
            args=[n, how],
            task_queue=queue,
            start_to_close_timeout=timedelta(seconds=10),
            heartbeat_timeout=timedelta(seconds=3) if beat else None,
            retry_policy=_POLICY,
        )

    async def _once(self, n: int, how: dict[str, Any]) -> Any:
        try:
            return await workflow.execute_activity(
                "work",
                args=[n, how],
                start_to_close_timeout=timedelta(seconds=5),
                retry_policy=_ONCE,
            )
        except Exception as error:
            if is_cancelled_exception(error):
                raise
            return LATE

    async def _child(self, n: int, how: dict[str, Any]) -> Any:
        told = await workflow.execute_child_workflow(
            "Program", args=[[["act", n, how]], [], []], id=child_id(workflow.info().workflow_id, n)
        )
        [result] = told["results"]
        return result

    async def _tell(self, target: str, value: str) -> str:
        try:
            await workflow.get_external_workflow_handle(target).signal("note", value)
        except ApplicationError:
            return NOBODY
        return TOLD

    async def _hear(self, count: int, limit_ms: int | None) -> str:
        limit = None if limit_ms is None else timedelta(milliseconds=limit_ms)
        try:
            await workflow.wait_condition(lambda: len(self.heard) >= count, timeout=limit)
        except TimeoutError:
            return LATE
        return HEARD


@workflow.defn(name="Program")
class HealedProgram(Program):
    """Version 2: the same, with the bug mended."""

    heals = True

    @workflow.run
    async def run(self, steps: list[Any], heard: list[str], results: list[Any]) -> dict[str, Any]:
        return await super().run(steps, heard, results)


@workflow.defn(name="Newcomer")
class Newcomer(HealedProgram):
    """A type that version 1 of the worker does not know."""

    @workflow.run
    async def run(self, steps: list[Any], heard: list[str], results: list[Any]) -> dict[str, Any]:
        return await super().run(steps, heard, results)


VERSION_1: Sequence[type] = (Program,)
VERSION_2: Sequence[type] = (HealedProgram, Newcomer)


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that an activity wrote down."""

    what: Literal["begun", "done"]
    time_ms: int
    process: str
    run_id: str
    activity_id: str
    attempt: int
    number: int
    undisturbed_ms: int
    """For how long its process had run without a pause."""


@dataclass(slots=True)
class Witness:
    """What the activities of all processes did, in the order in which they did it."""

    seen: list[Seen] = field(default_factory=list[Seen])


class Hands:
    """The activities of one process."""

    def __init__(
        self,
        witness: Witness,
        process: str,
        now_ms: Callable[[], int],
        undisturbed_ms: Callable[[], int],
    ) -> None:
        self._witness = witness
        self._process = process
        self._now_ms = now_ms
        self._undisturbed_ms = undisturbed_ms

    @activity.defn
    async def work(self, number: int, how: dict[str, Any]) -> int:
        """Takes ``ms``, fails in the first ``fails`` attempts, and heartbeats if it is to ``beat``."""
        self._write("begun", number)
        left_ms = how.get("ms", 0)
        while left_ms > 0:
            slice_ms = min(left_ms, 1_000)
            await asyncio.sleep(slice_ms / 1000)
            left_ms -= slice_ms
            if how.get("beat"):
                activity.heartbeat(left_ms)
        if activity.info().attempt <= how.get("fails", 0):
            raise ApplicationError("a planned failure of an attempt")
        self._write("done", number)
        return value_of(number)

    def _write(self, what: Literal["begun", "done"], number: int) -> None:
        info = activity.info()
        self._witness.seen.append(
            Seen(
                what,
                self._now_ms(),
                self._process,
                info.workflow_run_id or "",
                info.activity_id,
                info.attempt,
                number,
                self._undisturbed_ms(),
            )
        )
