"""What goes wrong at the edge. Each class is named for what the shell must do about it."""

from __future__ import annotations

from collections.abc import Sequence

from streamflow.ports.records import OutRecord


class LogError(Exception):
    """Something of the log's world went wrong; the class says what to do about it."""


class Unavailable(LogError):
    """Not now: the same call may be made again."""


class NotGranted(Unavailable):
    """The log lets this client do it only once somebody gives it a grant, which the message names; nothing happened.

    ``topics`` are those that take none of its records until then.
    """

    def __init__(self, message: str, topics: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.topics = tuple(topics)


class Aborted(LogError):
    """The transaction did not happen. Drop everything staged on it, go back to the committed offsets, and replay."""


class OutcomeUnknown(LogError):
    """The transaction may have happened. Re-initialise every producer, read the committed offsets again, and replay."""


class Fenced(LogError):
    """Another process owns what we own. Give the partitions up; never commit them."""


class RecordRefused(LogError):
    """The log will not take this record (too large, no such topic or partition)."""

    def __init__(self, message: str, record: OutRecord | None = None) -> None:
        super().__init__(message)
        self.record = record


class Fatal(LogError):
    """This client can do no more; the process should end and be started again."""


class TopicMissing(LogError):
    """An expected topic does not exist."""

    def __init__(self, message: str, topics: Sequence[str]) -> None:
        super().__init__(message)
        self.topics = tuple(topics)


class StoreCorrupted(Exception):
    """The local store cannot be trusted: drop it and rebuild it from the log."""


class StoreUnwritable(OSError):
    """The disk of the local store takes nothing more: it is full, or fails. Give the store up and open it again later: the
    log has everything."""


class StoreTaken(Exception):
    """The state folder belongs to another process; the message names it."""
