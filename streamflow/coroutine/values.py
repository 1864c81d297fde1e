"""Between the values that workflow code sees and what inputs and intents carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamflow.converter import DataConverter
from streamflow.exceptions import FailureError
from streamflow.model.failure import Failure
from streamflow.model.payload import Payload, Payloads


class Values:
    """A data converter without its codec, which works outside of steps."""

    __slots__ = ("failures", "payloads")

    def __init__(self, converter: DataConverter) -> None:
        self.payloads = converter.payload_converter
        self.failures = converter.failure_converter

    def encode(self, values: Sequence[Any]) -> Payloads:
        return tuple(self.payloads.to_payloads(values)) if values else ()

    def encode_one(self, value: Any) -> Payload:
        return self.payloads.to_payload(value)

    def encode_each(self, values: Mapping[str, Any]) -> dict[str, Payload]:
        return {name: self.payloads.to_payload(value) for name, value in values.items()}

    def decode(self, payloads: Payloads, hints: Sequence[Any] = ()) -> list[Any]:
        if not payloads:
            return []
        return self.payloads.from_payloads(payloads, hints[: len(payloads)] or None)

    def decode_one(self, payload: Payload | None, hint: Any = None) -> Any:
        """``None`` for no payload: a result that was never encoded."""
        return None if payload is None else self.payloads.from_payload(payload, hint)

    def to_failure(self, exception: BaseException) -> Failure:
        return self.failures.to_failure(exception, self.payloads)

    def from_failure(self, failure: Failure) -> FailureError:
        return self.failures.from_failure(failure, self.payloads)
