"""Lists and counts over a log: this client's own visibility store, made when the first list is asked for.

By default it is in memory and goes with the client. A URL (``Client.connect(visibility=...)``) keeps it in a file or in
PostgreSQL, where many clients may share it (docs/adr on where the store lives).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

from streamflow import topology, wiring
from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.log.patience import blocking
from streamflow.client.transport import (
    DEADLINE_S,
    ExecutionsCount,
    ExecutionsGroup,
    ExecutionsPage,
)
from streamflow.common import SearchAttributeIndexedValueType
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.ports import Log
    from streamflow.visibility.projector import Visibility

T = TypeVar("T")

DECLARED_FRESH_S = 5.0
"""For so long, the search attributes that were declared are believed to be all there are."""


class Executions:
    """What one client can see of its namespace's runs."""

    def __init__(self, log: Log, namespace: str, url: str | None) -> None:
        self._log = log
        self._namespace = namespace
        self._url = url
        self._declared: Mapping[str, SearchAttributeIndexedValueType] = {}
        self._declared_until = float("-inf")
        self._visibility: Visibility | None = None
        self._opening = asyncio.Lock()

    async def page(
        self, query: str, *, page_size: int, page_token: str, deadline_s: float | None
    ) -> ExecutionsPage:
        def search(visibility: Visibility) -> ExecutionsPage:
            found, token = visibility.search(
                query, page_size=page_size, token=page_token, declared=self._read_declared()
            )
            return ExecutionsPage(executions=found, next_page_token=token)

        return await self._asked(search, deadline_s)

    async def count(self, query: str, *, deadline_s: float | None) -> ExecutionsCount:
        def count(visibility: Visibility) -> ExecutionsCount:
            found = visibility.count(query, declared=self._read_declared())
            return ExecutionsCount(
                count=found.count,
                groups=tuple(
                    ExecutionsGroup(count=group.count, values=tuple(group.values))
                    for group in found.groups
                ),
            )

        return await self._asked(count, deadline_s)

    def forget_declared(self) -> None:
        """Something was declared: it is read again."""
        self._declared_until = float("-inf")

    async def close(self) -> None:
        if self._visibility is not None:
            await blocking(self._log, self._visibility.close)

    async def _asked(self, ask: Callable[[Visibility], T], deadline_s: float | None) -> T:
        from streamflow.visibility import FilterError, StoreMismatch

        async with self._opening:
            if self._visibility is None:
                try:
                    self._visibility = await blocking(self._log, self._open)
                except StoreMismatch as error:
                    raise RPCError(str(error), RPCStatusCode.FAILED_PRECONDITION) from error
        visibility = self._visibility
        try:
            async with asyncio.timeout(deadline_s):
                return await blocking(
                    self._log, lambda: ask(visibility), patience_s=deadline_s or DEADLINE_S
                )
        except FilterError as error:
            raise RPCError(f"invalid query: {error}", RPCStatusCode.INVALID_ARGUMENT) from error
        except TimeoutError as error:
            raise RPCTimeoutOrCancelledError(
                "Expected the list in time, found the executions feed not yet read to its end: ask again, or give the "
                "store a place that lasts (visibility=...)"
            ) from error

    def _open(self) -> Visibility:
        # Imported when the first list is asked for: it brings the SQL library.
        from streamflow.visibility.projector import Visibility
        from streamflow.visibility.store import Store

        return Visibility(self._log, self._namespace, Store.open(self._url or self._default_url()))

    def _default_url(self) -> str:
        folder = wiring.state_root(self._log)
        if folder is None:
            return "sqlite://"
        folder.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{folder / f'visibility-{self._namespace}.sqlite'}"

    def _read_declared(self) -> Mapping[str, SearchAttributeIndexedValueType]:
        if time.monotonic() > self._declared_until:
            found = topology.read_settings(self._log, self._namespace).search_attributes
            self._declared = {
                name: SearchAttributeIndexedValueType.named(entry.kind)
                for name, entry in found.items()
            }
            self._declared_until = time.monotonic() + DECLARED_FRESH_S
        return self._declared
