"""In which order one batch takes what has come."""

from __future__ import annotations

from streamflow.model.commands import ConfirmTasks, StartWorkflow
from streamflow.processor.state.work import Work
from streamflow.processor.turns.inbound import Groups


def in_turn(groups: Groups) -> list[tuple[tuple[int, str], list[Work]]]:
    """Results and timers before new starts; questions about tasks after everything that may have ended them.

    A question is about tasks of many workflows but filed under one of them: it waits though that one's turn comes.
    """
    first: list[tuple[tuple[int, str], list[Work]]] = []
    starts: list[tuple[tuple[int, str], list[Work]]] = []
    questions: list[tuple[tuple[int, str], list[Work]]] = []
    for name, works in groups.items():
        asked = [work for work in works if isinstance(work.command, ConfirmTasks)]
        others = works
        if asked:
            questions.append((name, asked))
            others = [work for work in works if not isinstance(work.command, ConfirmTasks)]
        if others:
            begins = isinstance(others[0].command, StartWorkflow)
            (starts if begins else first).append((name, others))
    return [*first, *starts, *questions]
