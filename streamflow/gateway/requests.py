"""What requests say: their bodies, parameters and headers, read or refused with what was expected."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar, cast
from urllib.parse import unquote

import msgspec
from starlette.requests import Request

from streamflow.client.calls.address import run_id_or_none
from streamflow.client.http import api_v1
from streamflow.model.ids import RunId, WorkflowId

T = TypeVar("T")

DIGITS_MAX = 20
"""Python refuses to read numbers of thousands of digits."""


_MANY_DIGITS: Final = re.compile(rb"\d{19}")
"""Without these no integer is too long: all others of the body need not be looked at."""


class BadRequest(Exception):
    """The request cannot be read; the message says what was expected."""


async def read_body(request: Request) -> bytes:
    """The body, read once; refused before it is read whole when it is too large."""
    known: bytes | None = getattr(request.state, "body", None)
    if known is not None:
        return known
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > api_v1.BODY_BYTES_MAX:
            raise BadRequest(
                f"Expected a body of at most {api_v1.BODY_BYTES_MAX} bytes, found more"
            )
    body = bytes(content)
    request.state.body = body
    return body


async def read(request: Request, cls: type[T]) -> T:
    content = await read_body(request)
    try:
        body = msgspec.json.decode(content or b"{}", type=cls)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"Expected a JSON body of {cls.__name__}, found: {error}") from error
    if _MANY_DIGITS.search(content) and not _fits(body):
        raise BadRequest(
            f"Expected integers of at most 64 bits in a JSON body of {cls.__name__}, found a larger one"
        )
    return body


def _fits(value: object) -> bool:
    """Whether records hold all of its integers."""
    match value:
        case int():
            return -(2**63) <= value < 2**63
        case msgspec.Struct():
            return all(_fits(getattr(value, name)) for name in value.__struct_fields__)
        case Mapping():
            return all(map(_fits, cast("Mapping[str, object]", value).values()))
        case tuple() | list():
            return all(map(_fits, cast("Sequence[object]", value)))
        case _:
            return True


def workflow_id_of(request: Request) -> WorkflowId:
    return WorkflowId(unquote(request.path_params["workflow_id"]))


def queue_of(request: Request) -> str:
    return request.query_params.get("queue", "")


def run_id_of(request: Request) -> RunId | None:
    return run_id_or_none(request.query_params.get("run_id"))


def header_of(request: Request, name: str, chars_max: int) -> str | None:
    text = request.headers.get(name)
    if text is not None and not 1 <= len(text) <= chars_max:
        raise BadRequest(f"Expected {name} of 1 to {chars_max} characters, found {len(text)}")
    return text


def wait_s_of(request: Request) -> float:
    most = int(api_v1.POLL_S * 1000)
    return number_in(request, "wait_ms", default=most, most=most) / 1000


def number_in(request: Request, name: str, *, default: int, most: int) -> int:
    text = request.query_params.get(name)
    return default if text is None else number_of(name, text, most=most)


def number_of(name: str, text: str, *, most: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS_MAX or int(text) > most:
        raise BadRequest(f"Expected {name} from 0 to {most}, found {text[:100]!r}")
    return int(text)
