"""Programs of the grammar from a plain seeded generator, for processes that compare what they make of them."""

from __future__ import annotations

import random
from typing import Any


def random_program(chance: random.Random, depth: int = 3) -> list[Any]:
    return [_statement(chance, depth) for _ in range(chance.randint(1, 3))]


def _statement(chance: random.Random, depth: int) -> list[Any]:
    kinds = ["act", "local", "sleep", "wait", "chance", "yield", "child", "tell"]
    if depth:
        kinds += [
            "gather",
            "group",
            "first",
            "completed",
            "timeout",
            "shield",
            "catch",
            "cancelled",
        ]
    kind = chance.choice(kinds)
    match kind:
        case "act":
            return [kind, chance.choice("abc"), chance.randrange(3)]
        case "local":
            return [kind, chance.choice("abc")]
        case "child":
            return [kind, chance.choice("abc"), chance.randrange(4)]
        case "tell":
            return [kind, chance.choice("abc"), chance.random() < 0.5]
        case "sleep":
            return [kind, chance.randint(0, 3)]
        case "wait":
            return [kind, chance.randint(0, 2), chance.choice([None, 0, 2])]
        case "chance" | "yield":
            return [kind, 0]
        case "gather" | "group" | "first" | "completed":
            count = chance.randint(1, 9)
            return [kind, [random_program(chance, depth - 1) for _ in range(count)]]
        case _:
            return [kind, random_program(chance, depth - 1)]
