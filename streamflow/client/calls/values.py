"""User values into payloads and back, with the codec where there is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from streamflow.converter import (
    DataConverter,
    StorageDriverWorkflowInfo,
    WorkflowSerializationContext,
)
from streamflow.converter.codec import recode_mapping, recode_one
from streamflow.exceptions import CancelledError, TerminatedError, TimeoutError, TimeoutType
from streamflow.model.answers import RunResult
from streamflow.model.failure import Failure
from streamflow.model.options import Status
from streamflow.model.payload import NO_HEADERS, NO_PAYLOADS, Payload, Payloads

if TYPE_CHECKING:
    from streamflow.client.client import Client


class NotGiven:
    """Stands for an argument that was not passed, where ``None`` is a value like others."""


NOT_GIVEN = NotGiven()


def arguments(arg: object, args: Sequence[Any]) -> Sequence[Any]:
    """The positional arguments of a call that takes either one ``arg`` or several ``args``."""
    if isinstance(arg, NotGiven):
        return args
    if args:
        raise ValueError("Expected either one positional argument or args=[...], found both")
    return (arg,)


def converter_for(
    client: Client, workflow_id: str, *, run_id: str | None = None, workflow_type: str | None = None
) -> DataConverter:
    """The client's converter for values that go to this workflow or come from it.

    A storage driver is also told the run and the type, where they are known.
    """
    converter, pipeline = client.data_converter, client.data_converter.pipeline
    if not converter.takes_context and (pipeline is None or not pipeline.takes_context):
        return converter
    namespace = client.namespace
    made = converter.with_context(WorkflowSerializationContext(namespace, workflow_id))
    return made.stored_for(
        StorageDriverWorkflowInfo(
            namespace=namespace, id=workflow_id, run_id=run_id, type=workflow_type
        )
    )


async def encode(converter: DataConverter, values: Sequence[Any]) -> Payloads:
    if not values:
        return NO_PAYLOADS
    payloads = converter.payload_converter.to_payloads(values)
    if converter.pipeline is not None:
        payloads = await converter.pipeline.encode(payloads)
    return tuple(payloads)


async def encode_mapping(
    converter: DataConverter, values: Mapping[str, Any] | None
) -> Mapping[str, Payload]:
    if not values:
        return NO_HEADERS
    payloads = {key: converter.payload_converter.to_payload(value) for key, value in values.items()}
    if converter.pipeline is not None:
        return await recode_mapping(payloads, converter.pipeline.encode)
    return payloads


async def decode_one(converter: DataConverter, payload: Payload | None, hint: Any) -> Any:
    """The value; ``None`` for a payload that is absent."""
    if payload is None:
        return None
    if converter.pipeline is not None:
        payload = await recode_one(payload, converter.pipeline.decode)
    return converter.payload_converter.from_payload(payload, hint)


async def decode_failure(converter: DataConverter, failure: Failure) -> BaseException:
    return await converter.restore_failure(failure)


async def run_error(converter: DataConverter, ended: RunResult) -> BaseException:
    """What the caller of a run that ended without a result is told to be its cause."""
    if ended.failure is not None:
        return await decode_failure(converter, ended.failure)
    details = [await decode_one(converter, payload, None) for payload in ended.details]
    match ended.status:
        case Status.CANCELED:
            return CancelledError("Workflow cancelled", *details)
        case Status.TERMINATED:
            return TerminatedError(ended.reason or "Workflow terminated", *details)
        case Status.TIMED_OUT:
            return TimeoutError("Workflow timed out", type=TimeoutType.START_TO_CLOSE)
        case _:
            raise AssertionError(f"Expected an end without a result, found {ended}")


def time_of(milliseconds: int) -> datetime | None:
    """A moment in UTC; ``None`` for 0, which is never."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds else None
