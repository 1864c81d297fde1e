"""What a processor is told at its start. Milliseconds and counts; every bound has a default."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.engine.context import DEFAULT_LIMITS, Limits


class ProcessorOptions(msgspec.Struct, frozen=True, kw_only=True):
    namespace: str = "default"
    queue: str
    name: str
    """The instance's stable name: its group membership and transactional ids derive from it."""
    partitions: int
    """Of the queue's inbox and history, from the directory; never from broker metadata."""
    build_id: str = ""
    version: str = ""
    """Of this processor's code, as ``deployment.build``; empty without versions."""
    limits: Limits = DEFAULT_LIMITS
    retention_ms: Mapping[str, int] = {}
    """Retention by workflow type, where it differs from ``limits.retention_ms``."""
    batch_records_max: int = 500
    records_of_one_max: int = 50
    """Records of one workflow that a turn takes, more where very many wait: the rest is overtaken by others of its
    partition."""
    turn_records_long: int = 128
    """A turn that wrote so many records was a long one: the next is for those who came meanwhile, if they are few."""
    batch_ms_max: int = 1_000
    """A batch lets no further code run after so long: what is left is recorded, and its code runs in the next one."""
    runs_cached_max: int = 1_000
    """Live runs kept in memory over all partitions, each with its coroutine; a miss replays from the local store.
    0 keeps none, so that every step replays: a trial of the code more than a setting for every day."""
    poll_ms: int = 100
    """The longest wait for input when nothing is due."""
    local_budget_ms: int = 5
    """How long a batch waits for its local activities before it commits without the laggards."""
    step_cpu_limit_ms: int = 2_000
    step_exit_after_ms: int = 10_000
    """A step that does not yield for so long after its limit ends the process."""
    stuck_retry_ms_max: int = 600_000
    quarantine_after: int = 3
    """A run whose step ended the process so many times is not tried again."""
    due_per_turn_max: int = 250
    tombstones_per_turn_max: int = 500
    restore_slice_ms: int = 50
    checkpoint_ms: int = 500
    """How often the local store notes how far it has followed the log."""
    log_id: str = ""
    """Which log the local state is a copy of; a snapshot of another one is not used."""
    snapshot_every_ms: int = 600_000
    """How often each partition's store is copied to the object store, where there is one and something happened."""
    snapshots_kept: int = 3
    standby: int = 0
    """How many other processes follow each partition, ready to take it over."""
    standby_look_ms: int = 5_000
    """How often a process asks who is in the group, to know which partitions to follow."""
    standby_poll_ms: int = 500
    standby_note_ms: int = 60_000
    """How often a store that follows an idle partition notes that it did."""
    store_kept_ms: int = 600_000
    """With standbys, a store of a partition that is neither owned nor followed here is removed after so long."""
    snapshot_gain_min: int = 10_000
    """A snapshot is fetched that is ahead of the local store by so many records of the history."""
    waiters_max: int = 100_000
    """Callers of one partition who wait for results; the oldest makes room for the newest."""
    summary_ms: int = 1_000
    """An open run's row in the executions feed is renewed at most this often."""
    dedup_ms_min: int = 86_400_000
    """A message is remembered for so long at least, or as long as the queue or its run retains where that is longer."""
    skew_stop_ms: int = 30_000
    """A clock that is off from the log's by more than this fires no timers."""
    debug: bool = False
    """Switches guards and the step limit off, for debuggers."""
    state_folder: str = ""
