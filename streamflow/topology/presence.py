"""Whether a topic is there."""

from __future__ import annotations

from streamflow.ports import Log


def is_there(log: Log, topic: str) -> bool:
    """What the log remembers of topics may be seconds old: only a fresh look says that one is missing, or hidden from us for
    lack of a grant."""
    return topic in log.topics() or topic in log.describe_topics([topic])
