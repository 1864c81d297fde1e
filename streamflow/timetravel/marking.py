"""What a step changed: the parts of a state beside those of the state before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from streamflow.timetravel.values import Part, Value

NEW, CHANGED, INSIDE, GONE = "new", "changed", "inside", "gone"


def marked(before: Sequence[Part], now: Sequence[Part]) -> tuple[Part, ...]:
    """``now`` with its changes; what is gone comes last, as it was. Parts are the same by their name."""
    if _is_nameless(now) or _is_nameless(before):
        return _marked_by_value(before, now)
    earlier = {part.name: part.value for part in before}
    found = [_marked(earlier.get(part.name), part) for part in now]
    names = {part.name for part in now}
    return (*found, *(replace(part, change=GONE) for part in before if part.name not in names))


def _marked(before: Value | None, part: Part) -> Part:
    value = part.value
    if before is None:
        return replace(part, change=NEW)
    if before == value:
        return part
    if before.type != value.type or not (before.parts and value.parts):
        return replace(part, change=CHANGED)
    parts = marked(before.parts, value.parts)
    is_seen = any(one.change for one in parts)
    # What differs may also be the number of parts, or one that is not shown.
    change = INSIDE if is_seen else CHANGED
    return Part(part.name, replace(value, parts=parts), change)


def _is_nameless(parts: Sequence[Part]) -> bool:
    """Whether they are the members of a set."""
    return bool(parts) and not parts[0].name


def _marked_by_value(before: Sequence[Part], now: Sequence[Part]) -> tuple[Part, ...]:
    earlier = Counter(part.value for part in before)
    found: list[Part] = []
    for part in now:
        known = earlier[part.value] > 0
        earlier[part.value] -= 1
        found.append(part if known else replace(part, change=NEW))
    gone = [Part("", value, GONE) for value, count in earlier.items() for _ in range(max(0, count))]
    return (*found, *gone)
