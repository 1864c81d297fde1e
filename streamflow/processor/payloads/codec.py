"""Runs the user's payload codec (encryption, compression) between history and workflow code.

The codec is asynchronous and the processor's thread is not: it has a small event loop of its own for it. Without a codec
nothing here costs anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakKeyDictionary

import msgspec

from streamflow.converter import DataConverter
from streamflow.converter.pipeline import Pipeline
from streamflow.coroutine.instance import Instance
from streamflow.model.events import Recorded, WorkflowStarted
from streamflow.model.failure import Failure
from streamflow.model.intents import Activation, Intent
from streamflow.model.payload import Payload
from streamflow.processor.payloads.recoding import PLAIN_FIELDS, Recode, recode
from streamflow.processor.payloads.whose import Owner, Whose, owner_of_run

_T = TypeVar("_T")


class CodecFailed(Exception):
    """The user's codec raised: its keys cannot be had now, say. The run waits and is tried again."""

    def __init__(self, exception: Exception) -> None:
        super().__init__(f"Expected the payload codec to work, found {exception!r}")
        self.exception = exception


class PayloadGate:
    """Decodes what goes into workflow code and encodes what comes out. Owned by the processor's thread."""

    def __init__(self, converter: DataConverter, *, header_codec: bool = False) -> None:
        """``header_codec``: headers that interceptors set are encoded too."""
        self._codec = converter.pipeline
        self._contextual = self._codec is not None and self._codec.takes_context
        self._whose: WeakKeyDictionary[Instance, Whose] = WeakKeyDictionary()
        self._plain = PLAIN_FIELDS if header_codec else PLAIN_FIELDS | {"headers"}
        self._runner: asyncio.Runner | None = None
        self._thread: ThreadPoolExecutor | None = None

    @property
    def open(self) -> bool:
        """Whether payloads pass unchanged."""
        return self._codec is None

    def started(
        self, namespace: str, workflow_id: str, run_id: str, started: WorkflowStarted
    ) -> WorkflowStarted:
        """The first event with its payloads as the converter made them."""
        if self._codec is None:
            return started
        owner = owner_of_run(namespace, workflow_id, run_id, started.workflow_type)
        return recode(started, self._decode_in(owner), self._plain)

    def history(self, instance: Instance, events: list[Recorded]) -> list[Recorded]:
        """The same for a whole history that the instance is about to be stepped through."""
        return events if self._codec is None else [self._inbound(instance, one) for one in events]

    def activation(self, instance: Instance, activation: Activation) -> Activation:
        if self._codec is None:
            return activation
        inputs = tuple([self._inbound(instance, recorded) for recorded in activation.inputs])
        return msgspec.structs.replace(activation, inputs=inputs)

    def outbound(self, instance: Instance, intents: list[Intent]) -> list[Intent]:
        if self._codec is None:
            return intents
        return [
            recode(one, self._encode_in(self._owner(instance, one)), self._plain) for one in intents
        ]

    def payloads_in(self, instance: Instance, payloads: tuple[Payload, ...]) -> tuple[Payload, ...]:
        if self._codec is None:
            return payloads
        return tuple(self._decode_in(self._owner(instance, None))([*payloads]))

    def headers_in(
        self, instance: Instance, headers: Mapping[str, Payload]
    ) -> Mapping[str, Payload]:
        if self._codec is None or "headers" in self._plain:
            return headers
        change = self._decode_in(self._owner(instance, None))
        return {name: change([payload])[0] for name, payload in headers.items()}

    def payload_out(self, instance: Instance, payload: Payload) -> Payload:
        if self._codec is None:
            return payload
        return self._encode_in(self._owner(instance, None))([payload])[0]

    def failure_out(self, owner: Owner, failure: Failure) -> Failure:
        return failure if self._codec is None else recode(failure, self._encode_in(owner))

    def _inbound(self, instance: Instance, recorded: Recorded) -> Recorded:
        if type(recorded.event) is WorkflowStarted:
            # Was decoded when the instance was made of it: codecs may be slow, and count their calls.
            return msgspec.structs.replace(recorded, event=instance.facts.started)
        change = self._decode_in(self._owner(instance, recorded.event))
        event = recode(recorded.event, change, self._plain)
        return (
            recorded if event is recorded.event else msgspec.structs.replace(recorded, event=event)
        )

    def _owner(self, instance: Instance, value: object) -> Owner | None:
        """Whose the value's payloads are; ``None`` if nobody asks."""
        if not self._contextual:
            return None
        whose = self._whose.get(instance)
        if whose is None:
            whose = self._whose[instance] = Whose(instance.facts)
        return whose.of(value)

    def _decode_in(self, owner: Owner | None) -> Recode:
        codec = self._codec
        assert codec is not None

        def decode(payloads: list[Payload]) -> list[Payload]:
            if not codec.decodes(payloads):
                return payloads
            return self._run(self._codec_in(owner).decode, payloads)

        return decode

    def _encode_in(self, owner: Owner | None) -> Recode:
        codec = self._codec
        assert codec is not None

        def encode(payloads: list[Payload]) -> list[Payload]:
            if not codec.encodes(payloads):
                return payloads
            return self._run(self._codec_in(owner).encode, payloads)

        return encode

    def _codec_in(self, owner: Owner | None) -> Pipeline:
        assert self._codec is not None
        if owner is None or not self._contextual:
            return self._codec
        try:
            return self._codec.with_context(owner.context, owner.target)
        except Exception as error:
            raise CodecFailed(error) from error

    def close(self) -> None:
        if self._runner is not None:
            self._call(self._runner.close)
            self._runner = None
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

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
