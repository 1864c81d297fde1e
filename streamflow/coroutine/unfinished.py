"""Warnings about handlers that a run's end cut short."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from streamflow.coroutine.handlers import Working

_ADVICE = (
    "Let run end with `await workflow.wait_condition(workflow.all_handlers_finished)`, or say that being cut short is all "
    "right with `unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON` on the handler."
)


class UnfinishedSignalHandlersWarning(RuntimeWarning):
    """A run ended while signal handlers were at work."""


class UnfinishedUpdateHandlersWarning(RuntimeWarning):
    """A run ended while update handlers were at work: their callers are told that the update failed."""


def warnings_of(cut_short: Sequence[Working]) -> list[RuntimeWarning]:
    """At most one for updates and one for signals, each listing all of its kind."""
    found: list[RuntimeWarning] = []
    updates = [
        {"name": working.name, "id": working.update_id}
        for working in cut_short
        if working.update_id is not None
    ]
    signals = Counter(working.name for working in cut_short if working.update_id is None)
    if updates:
        found.append(
            UnfinishedUpdateHandlersWarning(
                "[TMPRL1102] Workflow finished while update handlers are still running, where every handler was expected to "
                "end before: their work is cut short, and callers get an error instead of a result. "
                f"{_ADVICE} The following updates were unfinished (and warnings were not disabled for their handler): "
                f"{json.dumps(updates)}"
            )
        )
    if signals:
        counted = [{"name": name, "count": count} for name, count in signals.most_common()]
        found.append(
            UnfinishedSignalHandlersWarning(
                "[TMPRL1102] Workflow finished while signal handlers are still running, where every handler was expected to "
                f"end before: their work is cut short. {_ADVICE} The following signals were unfinished "
                f"(and warnings were not disabled for their handler): {json.dumps(counted)}"
            )
        )
    return found
