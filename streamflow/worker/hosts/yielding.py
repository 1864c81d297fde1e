"""Who of this process serves which queue, so that a keeper (`keeper`) makes room for a Worker before that begins."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Awaitable, Callable

Place = tuple[str, str, str]
"""A log, a namespace and a queue."""

NOBODY = "streamflow.nobody"
"""The only workflow type of a keeper."""

_lock = threading.Lock()
_workers: Counter[Place] = Counter()
_keepers: dict[Place, Callable[[], Awaitable[None]]] = {}


def announce_keeper(place: Place, stop: Callable[[], Awaitable[None]]) -> bool:
    """Whether there may be a keeper now: neither a Worker nor another keeper is there or on its way."""
    with _lock:
        if _workers[place] or place in _keepers:
            return False
        _keepers[place] = stop
        return True


def forget_keeper(place: Place) -> None:
    with _lock:
        _keepers.pop(place, None)


async def make_room(place: Place) -> None:
    """From now until `leave` no keeper begins here; returns when the present one is gone."""
    with _lock:
        _workers[place] += 1
        stop = _keepers.get(place)
    if stop is not None:
        await stop()


def leave(place: Place) -> None:
    with _lock:
        _workers[place] -= 1
        if not _workers[place]:
            del _workers[place]
