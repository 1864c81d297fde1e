"""Holds a start that was granted against the quotas of its queue, before anything is recorded of it."""

from __future__ import annotations

from streamflow.engine.decide.quota import (
    Place,
    may_be_refused,
    open_share,
    refuse_open,
    refuse_rate,
)
from streamflow.engine.decide.start import Begin
from streamflow.model.answers import Reason, Rejection
from streamflow.model.commands import StartWorkflow
from streamflow.model.settings import NO_QUOTA
from streamflow.processor.state.work import Work
from streamflow.processor.steps.answering import Answers
from streamflow.processor.steps.runs import Runs


def refuse_over_quota(runs: Runs, command: StartWorkflow, begin: Begin) -> Rejection | None:
    """Decided once, with what the partition has now: a copy of a refused start is refused whatever there is by then."""
    around = runs.around
    quota, own = around.quotas.found
    if quota == NO_QUOTA or not may_be_refused(command):
        return None
    partitions = around.options.partitions
    place = Place(around.options.namespace, around.options.queue, own)
    refusal = None
    if quota.open_workflows_max is not None:
        # What this batch ended is counted only where it matters: that takes a look at each of its runs.
        share = open_share(quota.open_workflows_max, partitions)
        found = runs.partition.open_runs + runs.part.begun
        if found >= share:
            found = runs.open_now() - (begin.terminate is not None)
        refusal = refuse_open(quota, partitions, found, place=place)
    if refusal is None and quota.starts_per_second is not None:
        now_ms = around.clock.monotonic_ms()
        left = runs.partition.allowance.left(quota.starts_per_second / partitions, now_ms)
        refusal = refuse_rate(quota, partitions, left - runs.part.begun, place=place)
    if refusal is not None:
        around.counters.starts_refused += 1
    return refusal


def keep_unheard(answers: Answers, work: Work, refusal: Rejection) -> bool:
    """A start that nobody awaits the answer of becomes a dead letter, to be sent once more; it is not remembered as refused."""
    if refusal.reason is not Reason.QUOTA_EXCEEDED or work.reply_to is not None:
        return False
    if work.record is not None:
        answers.dead_letter(work.record, "quota", refusal.message)
    return True
