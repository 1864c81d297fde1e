"""Bounds and times of a worker's part in a queue's activities."""

from __future__ import annotations

import msgspec

from streamflow.worker.taking.sending import HEARTBEAT_MS_DEFAULT, HEARTBEAT_MS_MAX


class PollerOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds and times of one worker's part in a queue's activities."""

    namespace: str
    queue: str
    name: str
    """The instance's stable name in the group."""
    identity: str
    slots: int = 100
    """Activities running at once."""
    prefetch: int = 100
    """Tasks held beyond those that run, so that a slot that becomes free is filled without a round trip."""
    records_per_poll_max: int = 500
    tick_ms: int = 100
    """How often windows are committed, heartbeats sent and starts announced."""
    note_after_ms: int = 20
    """A task running longer than this is noted beside the committed offset, so that a redelivery counts it."""
    note_apart_ms: int = 50
    """How far apart two such notes are at least."""
    announce_after_ms: int = 1_000
    """A task running longer than this is announced; until then a redelivery covers for it."""
    sure_for_ms: int = 500
    """For so long a task counts as wanted since its owner sent it, or said so. When it comes later it is asked about: the activity
    may have ended meanwhile, or gone to another queue."""
    unanswered_after_ms: int = 1_000
    """A task whose owner does not answer for longer than this takes no room from the tasks of others."""
    unanswered_max: int = 2_000
    idle_poll_ms: int = 250
    flush_on_revoke_ms: int = 3_000
    heartbeat_ms_max: int = HEARTBEAT_MS_MAX
    heartbeat_ms_default: int = HEARTBEAT_MS_DEFAULT
    queue_partitions: int = 1
    queue_per_second: float | None = None
    """Activities of the whole queue that may begin in a second; this worker keeps to the share of its partitions."""
