"""Between the values that workflow code sees and what inputs and intents carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamflow.converter import (
    ActivitySerializationContext,
    DataConverter,
    SerializationContext,
    WorkflowSerializationContext,
)
from streamflow.converter.failure import error_of, failure_of
from streamflow.coroutine.facts import RunFacts
from streamflow.model.failure import Failure
from streamflow.model.payload import Payload, Payloads


class Values:
    """A data converter without its codec, which works outside of steps."""

    __slots__ = ("_converter", "failures", "payloads")

    def __init__(
        self, converter: DataConverter, context: SerializationContext | None = None
    ) -> None:
        """The converter's own, or those for values of the context."""
        self._converter = converter
        if context is not None and converter.takes_context:
            converter = converter.with_context(context)
        self.payloads = converter.payload_converter
        self.failures = converter.failure_converter

    def of_workflow(self, facts: RunFacts, workflow_id: str | None = None) -> Values:
        """For values of the run itself, or of another workflow that it starts or signals."""
        if not self._converter.takes_context:
            return self
        context = WorkflowSerializationContext(facts.namespace, workflow_id or facts.workflow_id)
        return Values(self._converter, context)

    def of_activity(
        self, facts: RunFacts, activity_type: str, activity_id: str, queue: str, *, local: bool
    ) -> Values:
        """For values of an activity that the run asks for."""
        if not self._converter.takes_context:
            return self
        context = ActivitySerializationContext(
            namespace=facts.namespace,
            activity_id=activity_id or None,
            activity_type=activity_type,
            activity_task_queue=queue or facts.queue,
            workflow_id=facts.workflow_id,
            workflow_type=facts.started.workflow_type,
            is_local=local,
        )
        return Values(self._converter, context)

    def encode(self, values: Sequence[Any]) -> Payloads:
        return tuple(self.payloads.to_payloads(values)) if values else ()

    def encode_one(self, value: Any) -> Payload:
        return self.payloads.to_payload(value)

    def encode_each(self, values: Mapping[str, Any]) -> dict[str, Payload]:
        return {name: self.payloads.to_payload(value) for name, value in values.items()}

    def decode(self, payloads: Payloads, hints: Sequence[Any] = ()) -> list[Any]:
        if not payloads:
            return []
        return self.payloads.from_payloads(payloads, [*hints[: len(payloads)]] or None)

    def decode_one(self, payload: Payload | None, hint: Any = None) -> Any:
        """``None`` for no payload: a result that was never encoded."""
        return None if payload is None else self.payloads.from_payload(payload, hint)

    def to_failure(self, exception: BaseException) -> Failure:
        return failure_of(self.failures, exception, self.payloads)

    def from_failure(self, failure: Failure) -> BaseException:
        return error_of(self.failures, failure, self.payloads)
