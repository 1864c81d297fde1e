"""What the audit topic says of an attempt to change something through a gateway."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One attempt, done or not, without the values that a workflow was given. When it was is its record's time."""

    who: str
    """As grants name people and programs: ``user:ada@shop.example``, ``token:ci``, ``webhook:paid``; empty without a login."""
    action: str
    """The command, as ``SignalWorkflow``."""
    outcome: str
    """``done``, ``refused: REASON``, ``failed: STATUS``, or ``unknown`` where no answer came."""
    role: str = ""
    """The highest that they have there; empty for none."""
    workflow_id: str = ""
    run_id: str = ""
    message_id: str = ""
    details: Mapping[str, str] = {}
    """What tells one such command from another, as the signal's name and the reason."""
