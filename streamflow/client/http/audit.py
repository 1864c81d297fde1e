"""The audit log over a gateway."""

from __future__ import annotations

from streamflow.audit import Filter, Found, Page
from streamflow.client.http import api_v1_audit as api
from streamflow.client.http.transport import HttpTransport
from streamflow.client.http.words import given, quoted

DEADLINE_S = 60.0
"""Of one request: the gateway looks at many records for it."""


async def newest(transport: HttpTransport, wanted: Filter, *, limit: int) -> Page:
    """The newest that are meant, as `streamflow.audit.newest` finds them in all of the log. Raises `RPCError`."""
    path = f"/namespaces/{quoted(transport.namespace)}/audit"
    said = {
        "user": wanted.who,
        "workflow_id": wanted.workflow_id,
        "action": wanted.action,
        "since_ms": str(wanted.since_ms) if wanted.since_ms else "",
    }
    params = {name: value for name, value in said.items() if value}
    entries: list[Found] = []
    unreadable = 0
    while True:
        params["page_size"] = str(min(api.PAGE_MAX, limit - len(entries)))
        page = given(await transport.get(path, params, api.AuditBody, DEADLINE_S))
        entries += (one.found() for one in page.entries)
        unreadable += page.unreadable
        token = page.next_page_token
        if not token or len(entries) >= limit:
            before = int(token) if token else None
            return Page(entries=tuple(entries), before=before, unreadable=unreadable)
        params["page_token"] = token
