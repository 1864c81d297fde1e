"""Lists that are read page by page: what iterators over workflows, activities and schedules have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Generic, Self, TypeVar

ItemT = TypeVar("ItemT")


class Pages(ABC, Generic[ItemT]):
    """An async iterator; pages are fetched as they are needed, none before the iteration begins."""

    def __init__(
        self, *, page_size: int, next_page_token: bytes | None, limit: int | None = None
    ) -> None:
        self._page_size = page_size
        self._next_page_token = next_page_token
        self._limit = limit
        self._page: Sequence[ItemT] | None = None
        self._index = 0
        self._yielded = 0

    @abstractmethod
    async def _fetch(
        self, page_size: int, token: bytes | None
    ) -> tuple[Sequence[ItemT], bytes | None]:
        """A page, and where the next one begins; ``None`` when nothing follows."""

    @property
    def current_page_index(self) -> int:
        """Which item of the current page comes next."""
        return self._index

    @property
    def current_page(self) -> Sequence[ItemT] | None:
        """The items fetched last; ``None`` before the first page is there."""
        return self._page

    @property
    def next_page_token(self) -> bytes | None:
        """Where to go on later; ``None`` when nothing follows."""
        return self._next_page_token

    async def fetch_next_page(self, *, page_size: int | None = None) -> None:
        """Reads on, though there may be items left of the current page.

        Raises:
            RPCError: INVALID_ARGUMENT for a filter that is none; the message says where.
        """
        page, token = await self._fetch(page_size or self._page_size, self._next_page_token)
        self._page, self._next_page_token = page, token
        self._index = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ItemT:
        limit = self._limit
        if limit is not None and self._yielded >= limit:
            raise StopAsyncIteration
        while self._page is None or self._index >= len(self._page):
            if self._page is not None and self._next_page_token is None:
                raise StopAsyncIteration
            size = self._page_size
            left = size if limit is None else min(size, limit - self._yielded)
            await self.fetch_next_page(page_size=left)
        found = self._page[self._index]
        self._index += 1
        self._yielded += 1
        return found
