"""What a decision may know beside the run: the time, entropy, the bounds, and which destinations exist."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo

import msgspec

from streamflow.model.ids import RunId

DAY_MS = 86_400_000


class Limits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Bounds of one run and one step. Each has a refusal that names it."""

    pending_activities_max: int = 50_000
    pending_timers_max: int = 50_000
    pending_children_max: int = 20_000
    pending_messages_max: int = 20_000
    """Signals and requests to cancel that a run has sent to others and not heard of yet."""
    waiting_inputs_max: int = 100_000
    events_warn: int = 50_000
    events_max: int = 200_000
    dispatch_per_step_max: int = 500
    """Further activities of one step are scheduled undispatched and sent in later transactions."""
    updates_at_work_max: int = 1_000
    """Updates of one run that have been accepted and not completed."""
    updates_per_run_max: int = 10_000
    """Updates that one run ever accepts: a run with more should continue as new."""
    messages_per_run_max: int = 10_000
    """So many messages of a run are remembered, to tell copies; the oldest makes room for the newest."""
    payload_bytes_max: int = 900_000
    """All payloads of one command or intent together, a little under the record limit of 1 MiB."""
    id_bytes_max: int = 1_000
    resend_ms: int = 30 * DAY_MS // 4
    """A dispatched task that nobody announced as started for so long is sent again: a quarter of the topic's retention."""
    unknown_queue_retry_ms: int = 30_000
    retention_ms: int = 30 * DAY_MS
    """How long a closed run is kept when nothing more specific is said."""


DEFAULT_LIMITS = Limits()


Zones = Callable[[str], tzinfo]
"""The rules of a time zone by its IANA name; the empty name is UTC. Raises ValueError for a name that it does not know."""


def only_utc(name: str) -> tzinfo:
    """For where no rules of time zones are at hand."""
    if name not in ("", "UTC", "Etc/UTC"):
        raise ValueError(f"Expected time zone UTC, found {name!r}")
    return UTC


class Context(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One decision's surroundings. ``entropy`` is 16 random bytes used for nothing else."""

    now_ms: int
    entropy: bytes
    queue: str
    limits: Limits = DEFAULT_LIMITS
    activity_queues: Mapping[str, int] = {}
    """Partition counts of the activities topics that exist, by queue."""
    workflow_queues: Mapping[str, int] = {}
    """The same of inboxes: queues that children can be started on."""
    namespace: str = "default"
    zones: Zones = only_utc
    retention_ms: Mapping[str, int] = {}
    """Retention by workflow type, where it differs from the limit's."""
    build_id: str = ""

    def new_run_id(self) -> RunId:
        """Ordered by time (RFC 9562, version 7), so that rows of younger runs lie together."""
        random = int.from_bytes(self._derive(b"run"), "big")
        stamp = (self.now_ms & 0xFFFF_FFFF_FFFF) << 80 | 0x7 << 76 | (random >> 64 & 0xFFF) << 64
        return RunId(str(uuid.UUID(int=stamp | 0b10 << 62 | random & ((1 << 62) - 1))))

    def token(self, op: int) -> bytes:
        """A secret of one activity: who does not hold the task cannot guess it."""
        return self._derive(b"token%d" % op)

    def _derive(self, purpose: bytes) -> bytes:
        return hashlib.blake2b(purpose, key=self.entropy, digest_size=16).digest()
