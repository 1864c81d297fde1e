"""The log of a stream: items at offsets that only grow, and who published last what."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from streamflow.contrib.workflow_streams.wire import (
    OUT_OF_RANGE,
    TRUNCATED,
    PollResult,
    PublisherState,
    PublishInput,
    WireItem,
    WorkflowStreamState,
)
from streamflow.exceptions import ApplicationError

PAGE_BYTES_MAX = 800_000
"""Of an answer's items; below what the engine takes as one result. A larger item goes alone."""
ITEM_BYTES = 64
"""What JSON adds to an item's topic and data, at most."""


class Log:
    """Pure: it is told the time, and changes only when it is told to."""

    def __init__(self, state: WorkflowStreamState | None = None) -> None:
        state = state or WorkflowStreamState()
        self._items = [(item.topic, item.data) for item in state.log]
        self._base = state.base_offset
        self._publishers = dict(state.publishers)

    @property
    def base(self) -> int:
        """The offset of the first item that is kept."""
        return self._base

    @property
    def end(self) -> int:
        """The offset of the next item."""
        return self._base + len(self._items)

    def append(self, topic: str, data: str) -> None:
        self._items.append((topic, data))

    def take(self, batch: PublishInput, now: datetime) -> None:
        """Appends a batch, unless it was taken before."""
        if batch.publisher_id:
            known = self._publishers.get(batch.publisher_id)
            if known is not None and batch.sequence <= known.sequence:
                return
            self._publishers[batch.publisher_id] = PublisherState(batch.sequence, now)
        self._items.extend((entry.topic, entry.data) for entry in batch.items)

    def truncate(self, offset: int) -> None:
        """Forgets the items before this offset.

        Raises:
            ApplicationError: no item has that offset yet, nor is it the next.
        """
        if offset > self.end:
            raise ApplicationError(
                f"Expected to truncate to an offset from {self._base} to {self.end}, found {offset}",
                type=OUT_OF_RANGE,
            )
        if offset > self._base:
            del self._items[: offset - self._base]
            self._base = offset

    def is_answerable(self, offset: int) -> bool:
        """Whether a poll from here has something to say, if only that the items are gone."""
        return offset < self._base or offset < self.end

    def page(self, offset: int, topics: Collection[str]) -> PollResult:
        """The items from an offset on; offset 0 is the first that is kept.

        Raises:
            ApplicationError: the items at this offset are gone.
        """
        if 0 != offset < self._base:
            raise ApplicationError(
                f"Expected an offset of at least {self._base}, where the stream was truncated, found {offset}",
                type=TRUNCATED,
            )
        wanted = frozenset(topics)
        found: list[WireItem] = []
        room = PAGE_BYTES_MAX
        start = max(offset, self._base)
        for place, (topic, data) in enumerate(self._items[start - self._base :], start):
            if wanted and topic not in wanted:
                continue
            room -= len(data) + len(topic.encode()) + ITEM_BYTES
            if found and room < 0:
                return PollResult(found, next_offset=place, more_ready=True)
            found.append(WireItem(topic, data, place))
        return PollResult(found, next_offset=max(start, self.end))

    def state(self, now: datetime, publisher_ttl: timedelta) -> WorkflowStreamState:
        """For the next run; without the publishers that were not heard of for so long."""
        return WorkflowStreamState(
            log=[WireItem(topic, data) for topic, data in self._items],
            base_offset=self._base,
            publishers={
                name: PublisherState(seen.sequence, seen.last_seen)
                for name, seen in self._publishers.items()
                if now - seen.last_seen < publisher_ttl
            },
        )


def topics_of(topics: str | Sequence[str] | None) -> list[str]:
    """The filter of a poll; empty for all."""
    if topics is None:
        return []
    return [topics] if isinstance(topics, str) else [*topics]
