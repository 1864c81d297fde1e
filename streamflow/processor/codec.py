"""Runs the user's payload codec (encryption, compression) between history and workflow code.

The codec is asynchronous and the processor's thread is not: it has a small event loop of its own for it. Without a codec
nothing here costs anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import msgspec

from streamflow.converter import DataConverter
from streamflow.model.events import Recorded, WorkflowStarted
from streamflow.model.failure import Failure
from streamflow.model.intents import Activation, Intent
from streamflow.model.payload import Payload

_T = TypeVar("_T")
Recode = Callable[[list[Payload]], list[Payload]]


class CodecFailed(Exception):
    """The user's codec raised: its keys cannot be had now, say. The run waits and is tried again."""

    def __init__(self, exception: Exception) -> None:
        super().__init__(f"Expected the payload codec to work, found {exception!r}")
        self.exception = exception


class PayloadGate:
    """Decodes what goes into workflow code and encodes what comes out. Owned by the processor's thread."""

    def __init__(self, converter: DataConverter, *, header_codec: bool = False) -> None:
        """``header_codec``: headers that interceptors set are encoded too."""
        self._codec = converter.payload_codec
        self._plain = PLAIN_FIELDS if header_codec else PLAIN_FIELDS | {"headers"}
        self._runner: asyncio.Runner | None = None
        self._thread: ThreadPoolExecutor | None = None

    @property
    def open(self) -> bool:
        """Whether payloads pass unchanged."""
        return self._codec is None

    def inbound(self, recorded: Recorded) -> Recorded:
        """The same event with its payloads as the converter made them."""
        if self._codec is None:
            return recorded
        return msgspec.structs.replace(
            recorded, event=recode(recorded.event, self._decode, self._plain)
        )

    def inbound_started(self, started: WorkflowStarted) -> WorkflowStarted:
        return started if self._codec is None else recode(started, self._decode, self._plain)

    def activation(self, activation: Activation) -> Activation:
        if self._codec is None:
            return activation
        inputs = tuple(self.inbound(recorded) for recorded in activation.inputs)
        return msgspec.structs.replace(activation, inputs=inputs)

    def outbound(self, intents: list[Intent]) -> list[Intent]:
        if self._codec is None:
            return intents
        return [recode(intent, self._encode, self._plain) for intent in intents]

    def payloads_in(self, payloads: tuple[Payload, ...]) -> tuple[Payload, ...]:
        return payloads if self._codec is None else tuple(self._decode(list(payloads)))

    def headers_in(self, headers: Mapping[str, Payload]) -> Mapping[str, Payload]:
        if self._codec is None or "headers" in self._plain:
            return headers
        return {name: self._decode([payload])[0] for name, payload in headers.items()}

    def payload_out(self, payload: Payload) -> Payload:
        return payload if self._codec is None else self._encode([payload])[0]

    def failure_out(self, failure: Failure) -> Failure:
        return failure if self._codec is None else recode(failure, self._encode)

    def close(self) -> None:
        if self._runner is not None:
            self._call(self._runner.close)
            self._runner = None
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    def _decode(self, payloads: list[Payload]) -> list[Payload]:
        assert self._codec is not None
        return self._run(self._codec.decode, payloads)

    def _encode(self, payloads: list[Payload]) -> list[Payload]:
        assert self._codec is not None
        return self._run(self._codec.encode, payloads)

    def _run(self, function: Callable[..., object], payloads: list[Payload]) -> list[Payload]:
        if not payloads:
            return payloads
        if self._runner is None:
            self._runner = asyncio.Runner()
        runner = self._runner
        try:
            return list(self._call(lambda: runner.run(function(payloads))))  # type: ignore[arg-type]  # a coroutine function
        except Exception as error:
            raise CodecFailed(error) from error

    def _call(self, call: Callable[[], _T]) -> _T:
        """On the log in memory the processor is a task of the caller's loop, within which no other loop may run."""
        if not _in_a_loop():
            return call()
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="codec")
        return self._thread.submit(call).result()


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


PLAIN_FIELDS = frozenset({"search_attributes"})
"""What the engine itself reads stays readable."""


def recode(value: _T, change: Recode, plain: frozenset[str] = PLAIN_FIELDS) -> _T:
    """The same structure with every payload of the user's in it changed, however deep."""
    return cast(_T, _recode(value, change, plain))


def _recode(value: object, change: Recode, plain: frozenset[str]) -> object:
    match value:
        case Payload():
            return change([value])[0]
        case tuple():
            items = cast(tuple[object, ...], value)
            if items and all(isinstance(item, Payload) for item in items):
                # Together, as clients and activities give them: a codec may make one payload of several.
                return tuple(change(cast(list[Payload], list(items))))
            return tuple(_recode(item, change, plain) for item in items)
        case dict():
            pairs = cast(dict[str, object], value)
            return {name: _recode(item, change, plain) for name, item in pairs.items()}
        case msgspec.Struct():
            return _recode_fields(value, change, plain)
        case _:
            return value


def _recode_fields(value: msgspec.Struct, change: Recode, plain: frozenset[str]) -> msgspec.Struct:
    changed: dict[str, object] = {}
    for name in value.__struct_fields__:
        before = getattr(value, name)
        if before and name not in plain and isinstance(before, _CARRIERS):
            changed[name] = _recode(cast(object, before), change, plain)
    return msgspec.structs.replace(value, **changed) if changed else value


_CARRIERS = (tuple, dict, msgspec.Struct)
