"""A processor's connections to its log: made when they are first needed, mended when they can no longer be trusted.

trusted --outcome unknown--> doubtful --producers opened anew--> trusted
   '------fenced-----------> waiting to be given partitions again ---too long---> joins the group from scratch
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from streamflow.ports import Log, Producer, RebalanceListener, Source, Transactor
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.partition import Partition
from streamflow.topology import encode_queue

REJOIN_MS = 15_000
"""A fenced processor that its group has not told anything for so long joins it again from scratch."""


class Connections:
    def __init__(
        self,
        log_: Log,
        around: Surroundings,
        group: str,
        *,
        listener: RebalanceListener,
        owned: Mapping[int, Partition],
        part_with_all: Callable[[], None],
    ) -> None:
        """``owned`` is a view of the partitions owned now."""
        self._log = log_
        self._around = around
        self._group = group
        self._listener = listener
        self._owned = owned
        self._part_with_all = part_with_all
        self._source: Source | None = None
        self._transactor: Transactor | None = None
        self._producer: Producer | None = None
        self._doubtful = False
        """Whether the producers must be opened anew, so that no earlier transaction of theirs is undecided."""
        self._fenced_ms: int | None = None
        self._missing: frozenset[int] = frozenset()
        """Partitions that we had when we were fenced."""

    @property
    def source(self) -> Source:
        assert self._source is not None, "not open"
        return self._source

    @property
    def transactor(self) -> Transactor:
        assert self._transactor is not None, "not open"
        return self._transactor

    @property
    def producer(self) -> Producer:
        assert self._producer is not None, "not open"
        return self._producer

    @property
    def fenced(self) -> bool:
        """Whether the group has not yet given back what we had when we were fenced."""
        return self._fenced_ms is not None

    def open(self) -> None:
        """Makes what is not there yet, or not in order. Raises `Unavailable`; then it is called again."""
        if self._producer is None:
            self._producer = self._log.producer()
        if self._source is None:
            # First: the group answers while the producers get their ids.
            self._source = self._join()
        if self._transactor is None:
            options = self._around.options
            name = f"{options.namespace}.{encode_queue(options.queue)}.{options.name}"
            transactor = self._log.transactor(name)
            transactor.open()
            self._transactor = transactor
        if self._fenced_ms is not None:
            self._come_back(self._fenced_ms)
        if self._fenced_ms is None or self._owned:
            # Not before the group has given us something: taking our ids back could fence a namesake that is right.
            self.settle_doubt()

    def doubt(self) -> None:
        """A transaction of ours may or may not have happened."""
        self._doubtful = True

    def settle_doubt(self) -> None:
        """Before anything is committed, every earlier transaction of ours is decided."""
        if self._doubtful:
            self.transactor.reopen()
            self._doubtful = False

    def were_fenced(self, had: frozenset[int]) -> None:
        """Somebody else commits for these partitions; which of them is ours, only the group can say."""
        self._missing = had
        self._doubtful = True
        self._fenced_ms = self._around.clock.monotonic_ms()

    def wake(self) -> None:
        """Ends the current wait. Callable from any thread."""
        if self._source is not None:
            self._source.wake()

    def leave(self) -> None:
        if self._source is not None:
            self._source.close()

    def close(self) -> None:
        if self._transactor is not None:
            self._transactor.close()
        if self._producer is not None:
            self._producer.close()

    def _join(self) -> Source:
        return self._log.source(
            group=self._group,
            topics=[self._around.inbox_topic],
            listener=self._listener,
            instance=self._around.options.name,
        )

    def _come_back(self, fenced_ms: int) -> None:
        """After being fenced, the group mostly gives us partitions again; whatever it still believes to be ours, it
        gives to one who joins from scratch.

        A namesake that holds our place makes the next poll raise `Fenced`, which ends this processor.
        """
        if self._missing <= self._owned.keys():
            self._fenced_ms = None
        elif self._around.clock.monotonic_ms() - fenced_ms > REJOIN_MS:
            self._part_with_all()
            self.source.close()
            self._source = self._join()
            self._fenced_ms = None
