"""Steps of programs that are made of other steps: a small grammar, which a seed draws sentences of.

    step := leaf | all [step...] | task step | shield step ms | within step ms | undo step step | patch name newer older

What a sentence must come to follows from it, with or without faults: `fits` is the oracle.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from streamflow import workflow
from streamflow.exceptions import ActivityError, ApplicationError, is_cancelled_exception

Step = list[Any]
"""[kind, arguments...], as JSON."""
Do = Callable[[Step], Awaitable[Any]]

LATE: Final = "late"
UNDONE: Final = "undone"
_UNDO: Final = "Undo"
KINDS: Final = ("all", "task", "shield", "within", "undo", "patch")


async def carry_out(step: Step, do: Do, *, patched: bool) -> Any:
    """``do`` carries out the steps within; ``patched`` is whether this version of the code knows of patches."""
    match step:
        case ["all", list(steps)]:
            return await asyncio.gather(*(do(one) for one in steps))
        case ["task", one]:
            task = asyncio.ensure_future(do(one))
            await asyncio.sleep(0)
            return await task
        case ["shield", one, int(limit_ms)]:
            shielded = asyncio.ensure_future(do(one))
            try:
                return await asyncio.wait_for(asyncio.shield(shielded), limit_ms / 1000)
            except TimeoutError:
                return await shielded
        case ["within", one, int(limit_ms)]:
            return await _within(one, do, limit_ms)
        case ["undo", first, second]:
            return await _undo(first, second, do)
        case ["patch", str(name), newer, older]:
            return await do(newer if patched and workflow.patched(name) else older)
        case _:
            raise ApplicationError(f"unknown step {step}")


async def _within(one: Step, do: Do, limit_ms: int) -> Any:
    try:
        return await asyncio.wait_for(do(one), limit_ms / 1000)
    except TimeoutError:
        return LATE
    except ActivityError as error:
        # Cancelled because it was late, unless the whole run is.
        if is_cancelled_exception(error) and workflow.cancellation_reason() is None:
            return LATE
        raise


async def _undo(first: Step, second: Step, do: Do) -> list[Any]:
    """What was done fails afterwards, is made up for, and cleaned up after."""
    done: list[Any] = []
    try:
        done.append(await do(first))
        raise ApplicationError("as planned", type=_UNDO)
    except ApplicationError as error:
        if error.type != _UNDO:
            raise
        done.append(await do(second))
    finally:
        done.append(UNDONE)
    return done


def fits(step: Step, value: Any, allowed: Callable[[Step], list[Any]]) -> bool:
    """Whether the step may have come to this. ``allowed`` knows the leaves."""
    match step:
        case ["all", list(steps)]:
            return _is_list_of(len(steps), value) and all(
                fits(one, its, allowed) for one, its in zip(steps, value, strict=True)
            )
        case ["task", one] | ["shield", one, _]:
            return fits(one, value, allowed)
        case ["within", one, _]:
            return value == LATE or fits(one, value, allowed)
        case ["undo", first, second]:
            return (
                _is_list_of(3, value)
                and fits(first, value[0], allowed)
                and fits(second, value[1], allowed)
                and value[2] == UNDONE
            )
        case ["patch", _, newer, older]:
            return fits(newer, value, allowed) or fits(older, value, allowed)
        case _:
            return value in allowed(step)


def _is_list_of(count: int, value: Any) -> bool:
    return isinstance(value, list) and len(value) == count


def leaves(step: Step) -> Iterator[Step]:
    """What the step is made of."""
    match step:
        case ["all", list(steps)]:
            parts = steps
        case ["task", one] | ["shield" | "within", one, _]:
            parts = [one]
        case ["undo", first, second]:
            parts = [first, second]
        case ["patch", _, newer, older]:
            parts = [newer, older]
        case _:
            yield step
            return
    for part in parts:
        yield from leaves(part)


def draw(chance: random.Random, leaf: Callable[[], Step], depth: int = 3) -> Step:
    """A sentence of at most this depth."""

    def part() -> Step:
        deeper = depth > 1 and chance.random() < 0.4
        return draw(chance, leaf, depth - 1) if deeper else leaf()

    kind = chance.choice(KINDS)
    match kind:
        case "all":
            return ["all", [part() for _ in range(chance.randint(2, 4))]]
        case "task":
            return ["task", part()]
        case "shield" | "within":
            return [kind, part(), chance.choice((5, 100, 1_000, 8_000))]
        case "undo":
            return ["undo", part(), part()]
        case _:
            return ["patch", f"p{chance.randrange(3)}", part(), part()]
