"""What an error of a call says of itself."""

from __future__ import annotations

from streamflow.api.common.v1 import Any, GrpcStatus
from streamflow.service import RPCError, RPCStatusCode


def test_an_error_of_ours_tells_its_status_as_grpc_would() -> None:
    """With its code and message, and without details."""
    error = RPCError("workflow not found: w", RPCStatusCode.NOT_FOUND)

    assert error.raw_grpc_status == b""
    assert (error.grpc_status.code, error.grpc_status.message) == (5, "workflow not found: w")
    assert list(error.grpc_status.details) == []


def test_an_error_with_a_raw_status_tells_that_one() -> None:
    """As ported code makes them, details and all."""
    status = GrpcStatus(code=9, message="not yet", details=[Any(type_url="t/x", value=b"\x01")])
    error = RPCError("no", RPCStatusCode.FAILED_PRECONDITION, status.SerializeToString())

    assert error.grpc_status == status
    assert error.grpc_status.details[0].type_url == "t/x"
