"""What requests to a gateway are made of, and what its answers mean; which request it is, the transports know."""

from __future__ import annotations

import base64
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec

from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.http import api_v1
from streamflow.model.answers import Rejection
from streamflow.service import RPCError, RPCStatusCode

BodyT = TypeVar("BodyT")
StructT = TypeVar("StructT", bound=msgspec.Struct)


def header_value(value: str | bytes) -> str:
    return value if isinstance(value, str) else base64.b64encode(value).decode()


def read_answer(response: httpx.Response, cls: type[BodyT]) -> BodyT | Rejection:
    try:
        if response.is_success:
            return msgspec.json.decode(response.content, type=cls)
        problem = msgspec.json.decode(response.content, type=api_v1.Problem)
    except msgspec.DecodeError as error:
        raise RPCError(
            f"Expected {cls.__name__} from the gateway, found status {response.status_code} and {response.text[:200]!r}",
            RPCStatusCode.UNKNOWN,
        ) from error
    rejection = problem.rejection()
    if rejection is not None:
        return rejection
    if problem.rpc_status is RPCStatusCode.DEADLINE_EXCEEDED:
        raise RPCTimeoutOrCancelledError(problem.detail)
    raise RPCError(problem.detail, problem.rpc_status)


def given(answer: BodyT | Rejection) -> BodyT:
    """What no engine refuses."""
    assert not isinstance(answer, Rejection), answer
    return answer


def body_of(command: msgspec.Struct, cls: type[StructT]) -> StructT:
    return cls(**{name: getattr(command, name) for name in cls.__struct_fields__})


def quoted(text: str) -> str:
    return quote(text, safe="")


def of_run(run_id: str | None) -> dict[str, str]:
    return {"run_id": run_id} if run_id else {}
