"""Errors of a call to the engine, with the status codes that users of gRPC services know.

There is no service of our own behind them: a code says how an answer from the log, or its absence, is to be read.
"""

from __future__ import annotations

from enum import IntEnum

from streamflow.api.common.v1 import GrpcStatus
from streamflow.exceptions import StreamflowError


class RPCStatusCode(IntEnum):
    """How a call ended; names and numbers are gRPC's."""

    OK = 0
    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class RPCError(StreamflowError):
    """A call was refused or could not be answered; `status` says which, the message what to do."""

    def __init__(self, message: str, status: RPCStatusCode, raw_grpc_status: bytes = b"") -> None:
        super().__init__(message)
        self._message = message
        self._status = status
        self._raw_grpc_status = raw_grpc_status

    @property
    def message(self) -> str:
        return self._message

    @property
    def status(self) -> RPCStatusCode:
        return self._status

    @property
    def raw_grpc_status(self) -> bytes:
        """As it was given; empty for calls of ours, whose answers carry no gRPC status."""
        return self._raw_grpc_status

    @property
    def grpc_status(self) -> GrpcStatus:
        """Code, message and details: of the raw status where there is one, else of this error, without details."""
        if self._raw_grpc_status:
            return GrpcStatus.FromString(self._raw_grpc_status)
        return GrpcStatus(code=int(self._status), message=self._message)
