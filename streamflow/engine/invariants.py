"""What is true of every run at rest, whatever was asked of it. Checked by tests and simulations after each fact."""

from __future__ import annotations

from streamflow.engine import deadlines
from streamflow.engine.context import Limits
from streamflow.engine.state import STATUS_OF, Run
from streamflow.model.options import Status


def check(run: Run, limits: Limits) -> None:
    """Raises AssertionError for a run that cannot be."""
    assert (run.closed is None) == (run.status is Status.RUNNING), run.status
    at_work = sum(not update.completed_seq for update in run.updates.values())
    assert at_work == run.updates_at_work, (at_work, run.updates_at_work)
    for update in run.updates.values():
        assert 0 < update.accepted_seq <= run.last_seq, update
        assert not update.completed_seq or update.accepted_seq < update.completed_seq, update
    if run.closed is not None:
        assert run.status is STATUS_OF[type(run.closed)], run.closed
        waits_for = [
            *run.activities,
            *run.timers,
            *run.children,
            *run.messages,
            *run.waiting,
        ]
        assert not waits_for, "a closed run waits for nothing"
        return
    pending = [*run.activities, *run.timers, *run.children, *run.messages]
    assert len(pending) == len(set(pending)), "an operation is one thing only"
    seqs = [recorded.seq for recorded in run.waiting]
    assert seqs == sorted(set(seqs)), seqs
    assert all(0 < seq <= run.last_seq for seq in seqs), (seqs, run.last_seq)
    for op, activity in run.activities.items():
        attempt = activity.attempt
        assert attempt.op == op == activity.scheduled.op, activity
        assert attempt.attempt >= 1, attempt
        assert attempt.dispatched_ms or attempt.next_retry_ms, (
            "nothing would ever send this attempt"
        )
        assert attempt.dispatched_ms or not attempt.started_ms, attempt
    due_ms = deadlines.next_due_ms(run, limits)
    for timer in run.timers.values():
        assert 0 < due_ms <= timer.fire_at_ms, "a timer is never overslept"
