"""The out-of-order window of one partition: which delivered records are done, and how that is written down.

    offset      10   11   12   13   14   15
                done run  done done run  |
                     ^mark                ^position      commit: 11, "1.1.2" (1 unfinished, 2 finished)

Kafka keeps one number per group and partition. We commit the *mark*, the lowest delivered record that is not finished,
and beside it, as text, which records above it are. So one slow activity holds nothing up, and after a crash only
what was running is delivered again. A pure data structure: no I/O, no threads.

The text is a version and run lengths from the mark on, alternately unfinished and finished, in base 36. Offsets that
hold no record (transaction markers) count to whichever side is shorter to say: nobody is misled by them. What does not fit
the budget is left out from the high end, and is then merely delivered again. After a colon follows how often the unfinished
were begun (`begun`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from itertools import pairwise

from streamflow.worker.taking import begun
from streamflow.worker.taking.base36 import base36

METADATA_BYTES_MAX = 4_096
"""What a broker accepts beside an offset by default (``offset.metadata.max.bytes``)."""
METADATA_BYTES_ROOM = 256
"""Kept free for what a later version may have to say."""
TEXT_BYTES_MAX = METADATA_BYTES_MAX - METADATA_BYTES_ROOM - begun.BEGUN_BYTES_MAX
"""For which records are finished."""
CROWDED_SHARE = 0.75
"""Above this share of the budget no more records are to be delivered until the mark has moved."""
_VERSION = "1"

Span = tuple[int, int]
"""Offsets from the first (inclusive) to the second (exclusive)."""


class Window:
    """One partition's delivered records, from its assignment until it is taken away."""

    def __init__(self, offset: int, metadata: str = "") -> None:
        """Begins where a commit of ``offset`` and ``metadata`` left off."""
        self._unfinished: OrderedDict[int, None] = OrderedDict()
        self._position = offset
        spans, _, before = metadata.partition(":")
        self._ahead = decode(offset, spans)
        """Finished by an earlier owner, not yet passed by the position."""
        self._begun_before = begun.decode(offset, before)
        """Begun by earlier owners, so many times."""
        self._times: dict[int, int] = {}
        """How often each delivered, unfinished record was begun, if ever."""
        self._pass_finished()

    @property
    def mark(self) -> int:
        """Everything below is finished."""
        return next(iter(self._unfinished), self._position)

    @property
    def position(self) -> int:
        """Everything delivered is below."""
        return self._position

    @property
    def unfinished(self) -> int:
        """How many delivered records are not finished."""
        return len(self._unfinished)

    def deliver(self, offset: int) -> bool:
        """Whether this record is to be worked on; not if it is finished, or has been delivered before."""
        if offset < self._position or any(start <= offset < end for start, end in self._ahead):
            return False
        self._unfinished[offset] = None
        times = next((r.times for r in self._begun_before if r.start <= offset < r.end), 0)
        if times:
            self._times[offset] = times
        self._position = offset + 1
        self._pass_finished()
        return True

    def times_begun(self, offset: int) -> int:
        """How often this delivered record was begun, as far as it was noted."""
        return self._times.get(offset, 0)

    def begin(self, offset: int, times: int) -> None:
        """Notes that the record is being begun for this time, counted from 1; nothing if it is finished."""
        if offset in self._unfinished:
            self._times[offset] = times

    def finish(self, offset: int) -> None:
        """The record needs no further work. Harmless when repeated."""
        self._unfinished.pop(offset, None)
        self._times.pop(offset, None)

    def reopen(self, offset: int, times: int) -> None:
        """Takes `finish` back for a record that needs work after all, and was begun so many times."""
        later = [other for other in self._unfinished if other > offset]
        self._unfinished[offset] = None
        for other in later:
            self._unfinished.move_to_end(other)
        if times:
            self._times[offset] = times

    def commit(self, budget: int = TEXT_BYTES_MAX) -> tuple[int, str]:
        """What to commit: the mark, and the text beside it."""
        mark = self.mark
        text = encode(mark, self._finished_above(mark), budget)
        started = begun.encode(mark, self._begun_runs()) if self._may_have_begun else ""
        return mark, f"{text or _VERSION}:{started}" if started else text

    def is_crowded(self, budget: int = TEXT_BYTES_MAX) -> bool:
        """Whether so much is finished out of order that the text would soon be over its budget."""
        # A run takes at least four characters; as long as that many cannot be there, nothing needs to be written.
        if 4 * len(self._unfinished) < CROWDED_SHARE * budget:
            return False
        mark = self.mark
        return len(_text(_run_lengths(mark, self._finished_above(mark)))) > CROWDED_SHARE * budget

    @property
    def _may_have_begun(self) -> bool:
        return bool(self._times or self._begun_before)

    def _begun_runs(self) -> list[begun.Run]:
        """What is delivered, and what earlier owners noted of records still to come."""
        times = self._times
        runs = begun.runs_of((offset, times.get(offset, 0)) for offset in self._unfinished)
        position = self._position
        self._begun_before = [run for run in self._begun_before if run.end > position]
        later = [run._replace(start=max(run.start, position)) for run in self._begun_before]
        return [*runs, *later]

    def _pass_finished(self) -> None:
        """Moves the position over what an earlier owner finished."""
        while self._ahead and self._ahead[0][0] <= self._position:
            self._position = max(self._position, self._ahead.pop(0)[1])

    def _finished_above(self, mark: int) -> list[Span]:
        """All finished records above the mark, as spans; between unfinished ones there are only finished ones."""
        edges = [*self._unfinished, self._position]
        spans = [(low + 1, high) for low, high in pairwise(edges) if high > low + 1]
        return [*spans, *(span for span in self._ahead if span[0] > mark)]


def encode(mark: int, finished: Iterable[Span], budget: int = TEXT_BYTES_MAX) -> str:
    """The finished spans above the mark as text, in order; the last ones are left out if they do not fit."""
    return _text(_run_lengths(mark, finished), budget)


def decode(mark: int, metadata: str) -> list[Span]:
    """The finished spans of a text beside a committed offset. One that cannot be read says that nothing is finished."""
    version, _, rest = metadata.partition(":")[0].partition(".")
    if version != _VERSION or not rest:
        return []
    try:
        lengths = [int(part, 36) for part in rest.split(".")]
    except ValueError:
        return []
    if len(lengths) % 2 or any(length < 1 for length in lengths):
        return []
    spans: list[Span] = []
    at = mark
    for unfinished, finished in zip(lengths[::2], lengths[1::2], strict=True):
        start = at + unfinished
        at = start + finished
        spans.append((start, at))
    return spans


def _run_lengths(mark: int, finished: Iterable[Span]) -> list[tuple[int, int]]:
    """Pairs of unfinished and finished lengths; spans that touch are one."""
    pairs: list[tuple[int, int]] = []
    at = mark
    for start, end in finished:
        if start == at and pairs:
            before, length = pairs[-1]
            pairs[-1] = (before, length + end - start)
        else:
            assert start > at, (mark, start, at)  # what follows the mark at once is unfinished
            pairs.append((start - at, end - start))
        at = end
    return pairs


def _text(pairs: Iterable[tuple[int, int]], budget: int | None = None) -> str:
    parts: list[str] = []
    length = len(_VERSION)
    for unfinished, finished in pairs:
        part = f".{base36(unfinished)}.{base36(finished)}"
        length += len(part)
        if budget is not None and length > budget:
            break
        parts.append(part)
    return _VERSION + "".join(parts) if parts else ""
