"""Finding out whose step ends the process where no local disk remembers it: in the position record, after unclean ends only.

    a partition becomes active                               noted at once, for all of them in one transaction
    ... from an owner that had not said goodbye              `takeovers` + 1, but for one whose disk is here: that knows
    20 transactions later                                    `takeovers` is 0 again, nothing was wrong with the code
    taken over twice without that                            careful: few commands at a time, and before them `stepping`
    ... and taken over once more                             whoever was stepping is a suspect once more, and steps alone

The count is kept beside the position until a step of the suspect ends well, or its code changes; from a bound on its code is
not run any more (`Surroundings.condemns`). The ordinary way costs nothing but four small fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamflow.observability import get_logger
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.state.layout import Meta

log = get_logger("processor")

CALM_COMMITS = 20
"""A process that lives so long on a partition did not end by what it found there."""

CAREFUL_FROM = 2
"""So many takeovers in a row, and each step is noted before it is made."""

TOGETHER_MAX = 16
"""Whose steps are noted and made together. Known suspects step alone, so that nobody is blamed twice for another."""

SUSPECTS_MAX = 2 * TOGETHER_MAX
"""Remembered beside a position; those that were blamed most stay."""


@dataclass(slots=True)
class Caution:
    """Of one partition, as its present owner sees it."""

    takeovers: int = 0
    left: int = 0
    """Commits, or when careful commands, until all is well again."""
    suspects: Mapping[str, int] = field(default_factory=dict[str, int])

    @property
    def careful(self) -> bool:
        return self.takeovers >= CAREFUL_FROM

    def committed(self, works: int) -> None:
        if self.takeovers:
            self.left -= works if self.careful else 1
            if self.left <= 0:
                self.takeovers = 0


def begin(number: int, meta: Meta, around: Surroundings, *, died: bool) -> Caution:
    """What is known when a partition becomes active. ``died`` says whether its last owner is gone without a word."""
    suspects = dict(meta.suspects) if meta.code == around.suspects.code else {}
    stepping = (meta.stepping, *meta.stepping_too) if died and meta.stepping else ()
    for suspect in stepping:
        # Taken out first: those blamed last are remembered longest among those blamed as often.
        suspects[suspect] = suspects.pop(suspect, 0) + 1
        log.warning(
            "owner_ended_in_step",
            partition=number,
            owner=meta.owner,
            suspect=suspect,
            times=suspects[suspect],
            together=len(stepping),
        )
    for suspect, times in suspects.items():
        around.suspects.learn(suspect, times)
    caution = Caution(meta.takeovers + 1 if died else 0, CALM_COMMITS, suspects)
    if caution.careful:
        caution.left = around.options.batch_records_max
        log.warning("careful", partition=number, takeovers=caution.takeovers)
    return caution


def still_suspected(caution: Caution, around: Surroundings) -> dict[str, int]:
    """Who is to be remembered with the next position: a step that ended well has absolved the others."""
    if not caution.suspects:
        return {}
    suspected = [(n, times) for n, times in caution.suspects.items() if around.suspects.count(n)]
    return dict(sorted(suspected, key=lambda item: item[1])[-SUSPECTS_MAX:])
