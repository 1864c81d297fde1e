"""Updates that wait in memory until their run's code has judged them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from streamflow.model.commands import UpdateStage
from streamflow.model.events import UpdateAccepted
from streamflow.model.failure import Failure
from streamflow.processor.state.work import Work


class Verdict(Enum):
    ACCEPTED = "accepted"
    REFUSED = "refused"


@dataclass(slots=True)
class Admitted:
    """An update that the code has still to judge, with everyone who waits for it."""

    event: UpdateAccepted
    callers: list[tuple[Work, UpdateStage]] = field(default_factory=list[tuple[Work, UpdateStage]])
    started: bool = False
    """Whether its run was begun for it; then that start is what its message is remembered by."""
    tries: int = 0
    """Steps with it that failed."""
    verdict: Verdict | None = None
    failure: Failure | None = None

    def join(self, work: Work, stage: UpdateStage) -> None:
        """A caller who asks again takes the place of its former self."""
        to = work.reply_to
        self.callers = [
            (other, wants)
            for other, wants in self.callers
            if to is None or other.reply_to is None or other.reply_to.request_id != to.request_id
        ]
        self.callers.append((work, stage))
