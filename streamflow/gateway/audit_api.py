"""The audit log, for admins: by the page and over HTTP."""

from __future__ import annotations

from starlette.requests import Request

from streamflow import audit
from streamflow.audit import Filter, Page
from streamflow.client.http import api_v1_audit as api
from streamflow.client.transport import Transport
from streamflow.gateway import logs
from streamflow.gateway.access.guarded import require
from streamflow.gateway.access.roles import Role
from streamflow.gateway.operations import Operations, Reply
from streamflow.gateway.requests import BadRequest, number_in, number_of
from streamflow.gateway.routing import NAMESPACE, Parameter, Route

_MOST = 2**53


async def entries(
    transport: Transport, wanted: Filter, *, limit: int, before: int | None = None
) -> Page:
    """The newest that are meant, older than the offset ``before``.

    Raises:
        RPCError: PERMISSION_DENIED to who is no admin of the namespace; NOT_FOUND where that has no audit topic.
    """
    require(transport, Role.ADMIN)
    namespace = transport.namespace
    return await logs.asked(
        transport,
        "Audit entries",
        lambda log: audit.newest(log, namespace, wanted, limit=limit, before=before),
    )


async def list_audit(operations: Operations, request: Request) -> Reply:
    said = request.query_params
    wanted = Filter(
        who=said.get("user", ""),
        workflow_id=said.get("workflow_id", ""),
        action=said.get("action", ""),
        since_ms=number_in(request, "since_ms", default=0, most=_MOST),
    )
    limit = number_in(request, "page_size", default=100, most=api.PAGE_MAX)
    if limit == 0:
        raise BadRequest(f"Expected page_size from 1 to {api.PAGE_MAX}, found 0")
    token = said.get("page_token", "")
    before = number_of("page_token", token, most=_MOST) if token else None
    page = await entries(operations.transport(request), wanted, limit=limit, before=before)
    return api.AuditBody(
        entries=tuple(map(api.AuditedBody.of, page.entries)),
        unreadable=page.unreadable,
        next_page_token="" if page.before is None else str(page.before),
    )


AUDIT_ROUTES: tuple[Route, ...] = (
    Route(
        name="list_audit",
        method="GET",
        path=NAMESPACE + "/audit",
        about="A page of who changed what through a gateway, newest first.",
        operation=list_audit,
        answers=(api.AuditBody,),
        parameters=(
            Parameter("user", "Stands in the name of who asked, whatever the case."),
            Parameter("workflow_id", "The workflow that was to be changed."),
            Parameter("action", "The command, such as TerminateWorkflow."),
            Parameter("since_ms", "Only what is younger than this time.", "integer"),
            Parameter(
                "page_size", "Entries of a page, 1,000 at most; 100 when left out.", "integer"
            ),
            Parameter("page_token", "Where the page before ended."),
        ),
    ),
)
