"""For code that must know whether it replays, or that takes a restriction's risk upon itself.

There is no sandbox that re-imports modules: what concerns imports is accepted, so that code ports, and does nothing.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from enum import Flag, auto

from streamflow.coroutine import guard
from streamflow.coroutine.context import current


class SandboxImportNotificationPolicy(Flag):
    """Accepted for compatibility, and without effect."""

    SILENT = auto()
    WARN_ON_DYNAMIC_IMPORT = auto()
    WARN_ON_UNINTENTIONAL_PASSTHROUGH = auto()
    RAISE_ON_UNINTENTIONAL_PASSTHROUGH = auto()


def in_sandbox() -> bool:
    """False: modules are never imported a second time."""
    return False


def is_replaying() -> bool:
    """Whether the current step has run before. Never let it change what the workflow does."""
    return current().replaying


def is_replaying_history_events() -> bool:
    """Like `is_replaying`; queries and validators never count as replay here."""
    return current().replaying


def is_read_only() -> bool:
    """Whether the code may only read: in a query handler, a validator or a waiting condition."""
    return current().read_only


def is_sandbox_unrestricted() -> bool:
    """Whether clocks, chance and I/O are open to the calling code."""
    return guard.is_unrestricted()


@contextmanager
def sandbox_unrestricted() -> Generator[None]:
    """Opens clocks, chance and I/O to the code inside, which answers for its determinism itself."""
    with guard.unrestricted():
        yield


def is_imports_passed_through() -> bool:
    """True: every import is."""
    return True


@contextmanager
def imports_passed_through() -> Generator[None]:
    """Does nothing: every import is passed through."""
    yield


@contextmanager
def sandbox_import_notification_policy(policy: SandboxImportNotificationPolicy) -> Generator[None]:
    """Does nothing: imports are not watched."""
    yield


def current_import_notification_policy_override() -> SandboxImportNotificationPolicy | None:
    """``None``: imports are not watched."""
    return None
