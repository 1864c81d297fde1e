"""What a route of the public API is, and the query parameters that several have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec
from starlette.requests import Request

from streamflow.gateway.operations import Operations, Reply

Operation = Callable[[Operations, Request], Awaitable[Reply]]

NAMESPACE = "/namespaces/{namespace}"


class Parameter(msgspec.Struct, frozen=True):
    """A query parameter."""

    name: str
    about: str
    type: str = "string"
    place: str = "query"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation of the API."""

    name: str
    method: str
    path: str
    about: str
    operation: Operation
    body: type[msgspec.Struct] | None = None
    answers: tuple[type[msgspec.Struct], ...]
    parameters: tuple[Parameter, ...] = ()
    media_type: str = "application/json"


QUEUE = Parameter("queue", "The workflow's task queue; found by its ID when left out.")
RUN = Parameter("run_id", "One run of the workflow; its latest when left out.")
WAIT = Parameter(
    "wait_ms",
    "How long to wait for the end, 25,000 at most; the answer is then RUNNING.",
    "integer",
)
AFTER = Parameter("after_seq", "Only events after this number.", "integer")
FOLLOW = Parameter(
    "follow",
    "False ends the stream with what is there; else it lasts as long as the run.",
    "boolean",
)
LAST_EVENT = Parameter(
    "Last-Event-ID", "The number after which to go on, before after_seq.", "integer", "header"
)
QUERY = Parameter("query", "A list filter (docs/list-filters.md); all runs when left out.")
PAGE_SIZE = Parameter("page_size", "Runs of a page, 1,000 at most; 100 when left out.", "integer")
PAGE_TOKEN = Parameter("page_token", "Where the page before ended.")
