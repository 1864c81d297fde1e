"""What goes wrong, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from streamflow.client.errors import STATUS_OF_REASON
from streamflow.client.http import api_v1
from streamflow.model.answers import Rejection
from streamflow.service import RPCStatusCode


def problem(
    status: RPCStatusCode,
    detail: str,
    *,
    http_status: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """What the gateway or its transport could not do."""
    return response(
        api_v1.Problem(
            title=status.name.replace("_", " ").capitalize(),
            status=http_status or api_v1.HTTP_OF_STATUS.get(status, 500),
            detail=detail,
            code=api_v1.rpc_code(status),
        ),
        headers,
    )


def refusal(rejection: Rejection) -> Response:
    """What the engine refused."""
    status = STATUS_OF_REASON[rejection.reason]
    return response(
        api_v1.Problem(
            title=rejection.reason.value.replace("_", " ").capitalize(),
            status=api_v1.HTTP_OF_STATUS.get(status, 500),
            detail=rejection.message,
            code=rejection.reason.value,
            run_id=rejection.run_id,
            failure=rejection.failure,
        )
    )


def response(found: api_v1.Problem, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(found),
        status_code=found.status,
        media_type=api_v1.PROBLEM_TYPE,
        headers=headers,
    )
