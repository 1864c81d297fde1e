"""For code that must know whether it replays, or that takes a restriction's risk upon itself.

There is no sandbox that imports modules once more for each run. "Sandboxed" means guarded here: what code asks of clocks,
chance and I/O is refused, unless it is a module's that was passed through. What concerns the notification of imports is
remembered, so that code ports, and has no effect.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Flag, auto

from streamflow.coroutine import guard
from streamflow.coroutine.context import current, current_or_none
from streamflow.coroutine.guarding import is_passing_imports, passing_imports


class SandboxImportNotificationPolicy(Flag):
    """Accepted for compatibility, and without effect: no import is repeated here."""

    SILENT = auto()
    WARN_ON_DYNAMIC_IMPORT = auto()
    WARN_ON_UNINTENTIONAL_PASSTHROUGH = auto()
    RAISE_ON_UNINTENTIONAL_PASSTHROUGH = auto()


_policy: ContextVar[SandboxImportNotificationPolicy | None] = ContextVar(
    "streamflow_import_policy", default=None
)


def in_sandbox() -> bool:
    """Whether this is guarded workflow code. False while modules are imported: that happens once."""
    running = current_or_none()
    return running is not None and running.definition.guarding.on


def is_replaying() -> bool:
    """Whether the current step has run before. Never let it change what the workflow does."""
    return current().replaying


def is_replaying_history_events() -> bool:
    """Like `is_replaying`; queries and validators, which are live, never count as replay."""
    running = current()
    return running.replaying and not running.read_only


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
    """Whether this is inside of `imports_passed_through`."""
    return is_passing_imports()


@contextmanager
def imports_passed_through() -> Generator[None]:
    """Modules that are imported inside are not guarded, except those that define workflows."""
    with passing_imports():
        yield


@contextmanager
def sandbox_import_notification_policy(policy: SandboxImportNotificationPolicy) -> Generator[None]:
    """Remembers the policy for what runs inside; it has no effect."""
    token = _policy.set(policy)
    try:
        yield
    finally:
        _policy.reset(token)


def current_import_notification_policy_override() -> SandboxImportNotificationPolicy | None:
    """The policy of the innermost `sandbox_import_notification_policy`, if any."""
    return _policy.get()
