"""Hypothesis strategies for all facts, made from their types: a new field is drawn without a change here.

@given(facts(ActivityScheduled))
@given(events)              # any event
@given(recorded())          # an event at its place
"""

from __future__ import annotations

import inspect
import types
import typing
import uuid
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import msgspec
from hypothesis import strategies as st

from streamflow.model import ids
from streamflow.model.answers import Answer
from streamflow.model.commands import Command, Envelope, ReplyTo
from streamflow.model.events import Event, Input, Recorded
from streamflow.model.failure import Failure
from streamflow.model.payload import Payload
from streamflow.wire import catalog

T = TypeVar("T")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
"""Any text that has a UTF-8 form."""

workflow_ids = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).map(
    ids.WorkflowId
)
run_ids = st.uuids().map(str).map(ids.RunId)
longs = st.integers(-(1 << 63), (1 << 63) - 1)
counts = st.integers(1, 200_000)
times_ms = st.integers(0, 1 << 42)
payloads = st.builds(
    Payload,
    metadata=st.dictionaries(
        st.sampled_from(["encoding", "messageType", "é"]), st.binary(max_size=12), max_size=2
    ),
    data=st.binary(max_size=60),
)


@cache
def facts(cls: type[T]) -> st.SearchStrategy[T]:
    """Any value of this Struct."""
    if cls is Failure:
        return typing.cast("st.SearchStrategy[T]", failures)
    fields = msgspec.structs.fields(cls)  # type: ignore[arg-type]  # only Structs come here
    return st.builds(cls, **{field.name: _of(field.type) for field in fields})


def _of(annotation: Any) -> st.SearchStrategy[Any]:
    named = _NAMED.get(annotation)
    if named is not None:
        return named
    while isinstance(annotation, typing.NewType):
        annotation = annotation.__supertype__
    if inspect.isclass(annotation) and issubclass(annotation, msgspec.Struct):
        return facts(annotation)
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return st.sampled_from(args)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(st.none() if arg is types.NoneType else _of(arg) for arg in args))
    if origin is tuple and args[1:] == (...,):
        return st.lists(_of(args[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(_of(arg) for arg in args))
    if inspect.isclass(origin) and issubclass(origin, Mapping):
        return st.dictionaries(texts, _of(args[1]), max_size=2)
    return _PRIMITIVES[annotation]


_PRIMITIVES: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    bytes: st.binary(max_size=40),
    int: longs,
    bool: st.booleans(),
    float: st.floats(allow_nan=False),
}
_NAMED: dict[Any, st.SearchStrategy[Any]] = {
    ids.WorkflowId: workflow_ids,
    ids.RunId: run_ids,
    ids.Op: counts,
    ids.Seq: counts,
    Payload: payloads,
}


def _failures() -> st.SearchStrategy[Failure]:
    own = {
        field.name: st.none() if field.name == "cause" else _of(field.type)
        for field in msgspec.structs.fields(Failure)
    }
    links = st.lists(st.builds(Failure, **own), min_size=1, max_size=4)

    def chained(chain: list[Failure]) -> Failure:
        whole = chain[-1]
        for link in reversed(chain[:-1]):
            whole = msgspec.structs.replace(link, cause=whole)
        return whole

    return links.map(chained)


failures = _failures()


def any_of(union: Any) -> st.SearchStrategy[Any]:
    """Any member of a union of facts."""
    return st.one_of(*(facts(member) for member in typing.get_args(union)))


inputs: st.SearchStrategy[Input] = any_of(Input)
events: st.SearchStrategy[Event] = any_of(Event)
commands: st.SearchStrategy[Command] = any_of(Command)
answers: st.SearchStrategy[Answer] = any_of(Answer)
entities: st.SearchStrategy[Any] = st.one_of(
    *(facts(cls) for cls in catalog.AREA_OF if cls not in catalog.EVENT_CODES)
)
reply_tos = st.builds(
    ReplyTo,
    topic=st.from_regex(r"[a-z0-9.-]{1,40}", fullmatch=True),
    partition=st.integers(0, 10_000),
    request_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
)
envelopes = st.builds(
    Envelope,
    message_id=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    reply_to=st.none() | reply_tos,
    trace_parent=st.just("") | st.just("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
)


def recorded(event: st.SearchStrategy[Event] = events) -> st.SearchStrategy[Recorded]:
    return st.builds(
        Recorded, seq=counts, step=st.integers(0, 200_000), time_ms=times_ms, event=event
    )


def run_id(number: int) -> ids.RunId:
    """A run ID that is the same in every test run."""
    return ids.RunId(str(uuid.UUID(int=number)))
