"""The public HTTP API's words for the audit log."""

from __future__ import annotations

import msgspec

from streamflow.audit import Found
from streamflow.model.audit import AuditEntry

PAGE_MAX = 1_000


class AuditedBody(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with its place in the audit topic, and the broker's time of it."""

    offset: int
    time_ms: int
    entry: AuditEntry

    @staticmethod
    def of(found: Found) -> AuditedBody:
        return AuditedBody(offset=found.offset, time_ms=found.time_ms, entry=found.entry)

    def found(self) -> Found:
        return Found(offset=self.offset, time_ms=self.time_ms, entry=self.entry)


class AuditBody(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the audit log, newest first. It may have fewer entries than asked for, or none, and still be followed by others."""

    entries: tuple[AuditedBody, ...]
    unreadable: int = 0
    """Records among those looked at that are no entries: no gateway wrote them."""
    next_page_token: str = ""
