"""Classes whose objects are activities, as type checkers see them. `type[Callable[...]]` would say it, if all knew it."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

ResultT = TypeVar("ResultT", covariant=True)


class AsyncCallable(Protocol[ResultT]):
    """Called, it is awaited for its result."""

    async def __call__(self, *args: Any, **kwargs: Any) -> ResultT: ...


class SyncCallable(Protocol[ResultT]):
    """Called, it returns its result."""

    def __call__(self, *args: Any, **kwargs: Any) -> ResultT: ...
