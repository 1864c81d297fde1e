"""One queue, one set of workflows: processors of a queue form one group, and any of them may be given any run.

Two processes cannot see each other's code, so between them this is for deployments to keep; within one process it is
checked. Workers with activities alone are in nobody's way.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

_Place = tuple[str, str, str]
_serving: list[tuple[_Place, frozenset[str]]] = []
_lock = threading.Lock()


class AppConflict(ValueError):
    """Two Apps or Workers of one process serve the same queue with different workflows; the message shows which."""


@contextmanager
def serving(
    log_id: str, namespace: str, queue: str, workflow_types: frozenset[str]
) -> Generator[None]:
    """Within it these workflows count as served. Raises `AppConflict` if others of this process differ."""
    place, mine = (log_id, namespace, queue), workflow_types
    with _lock:
        for other_place, theirs in _serving:
            if other_place == place:
                refuse_difference(namespace, queue, theirs, mine)
        _serving.append((place, mine))
    try:
        yield
    finally:
        with _lock:
            _serving.remove((place, mine))


def refuse_difference(
    namespace: str, queue: str, first: frozenset[str], second: frozenset[str]
) -> None:
    """Raises `AppConflict` unless both serve the same workflows, or one of them none."""
    if not first or not second or first == second:
        return
    missing = ", ".join(sorted(first - second)) or "none"
    added = ", ".join(sorted(second - first)) or "none"
    raise AppConflict(
        f"Expected everyone who serves queue {queue!r} of namespace {namespace!r} to register the same workflows, found "
        f"one without {missing} and with {added} beside the first: register them all in both, or use two queues"
    )
