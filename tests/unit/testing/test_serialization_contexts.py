"""Converters and codecs that ask are told whose each value is, wherever values cross."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Self

import pytest

from streamflow import activity, workflow
from streamflow.api.common.v1 import Payload
from streamflow.api.failure.v1 import Failure
from streamflow.client import WorkflowFailureError
from streamflow.common import RetryPolicy
from streamflow.converter import (
    ActivitySerializationContext,
    CompositePayloadConverter,
    DataConverter,
    DefaultFailureConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from streamflow.exceptions import ActivityError, ApplicationError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker


def label(context: SerializationContext | None) -> str:
    match context:
        case WorkflowSerializationContext():
            return f"workflow {context.workflow_id}"
        case ActivitySerializationContext():
            return f"activity {context.activity_type} of {context.workflow_id}"
        case _:
            return "nobody"


@dataclasses.dataclass
class Traced:
    """A value on which each conversion leaves a mark."""

    marks: list[str] = dataclasses.field(default_factory=list)


class TracingJSON(EncodingPayloadConverter, WithSerializationContext):
    """Writes into each value, on its way out and on its way in, whose it was said to be."""

    def __init__(self) -> None:
        self._json = JSONPlainPayloadConverter()
        self.context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> Self:
        made = type(self)()
        made.context = context
        return made

    @property
    def encoding(self) -> str:
        return "json/traced"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, Traced):
            return None
        payload = self._json.to_payload(Traced([*value.marks, f"out {label(self.context)}"]))
        assert payload is not None
        payload.metadata["encoding"] = b"json/traced"
        return payload

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        value = self._json.from_payload(payload, Traced)
        return Traced([*value.marks, f"in {label(self.context)}"])


class TracingConverter(CompositePayloadConverter):
    def __init__(self) -> None:
        super().__init__(
            TracingJSON(), *DefaultPayloadConverter.default_encoding_payload_converters
        )


TRACING = DataConverter(payload_converter_class=TracingConverter)


@activity.defn
async def pass_on(value: Traced) -> Traced:
    activity.heartbeat(value)
    return value


@activity.defn
async def look_back(value: Traced) -> Traced:
    """Fails once, so that the second attempt gets the first one's heartbeat."""
    details = activity.info().heartbeat_details
    if details:
        seen = details[0]
        return seen if isinstance(seen, Traced) else Traced(**seen)
    activity.heartbeat(Traced(["heartbeat"]))
    raise ApplicationError("again")


@workflow.defn
class Through:
    def __init__(self) -> None:
        self.signaled: list[Traced] = []

    @workflow.run
    async def run(self, value: Traced, activity_name: str) -> Traced:
        await workflow.wait_condition(lambda: bool(self.signaled))
        got: Traced = await workflow.execute_activity(
            activity_name,
            value,
            activity_id="a",
            result_type=Traced,
            start_to_close_timeout=timedelta(seconds=5),
            retry_policy=RetryPolicy(maximum_attempts=2),
        )
        return got

    @workflow.signal
    def signal(self, value: Traced) -> None:
        self.signaled.append(value)

    @workflow.query
    def query(self, value: Traced) -> list[str]:
        return value.marks + self.signaled[0].marks

    @workflow.query
    def memo(self) -> list[str]:
        return workflow.memo_value("note", type_hint=Traced).marks


async def run(converter: DataConverter, activity_name: str) -> tuple[Any, Any, Any]:
    """What came back: result, query answer, memo as the code sees it."""
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=converter) as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Through],
            activities=[pass_on, look_back],
            max_cached_workflows=0,
        ),
    ):
        handle = await env.client.start_workflow(
            Through.run,
            args=[Traced(), activity_name],
            id="w",
            task_queue="q",
            memo={"note": Traced()},
        )
        await handle.signal(Through.signal, Traced())
        result = await handle.result()
        answer = await handle.query(Through.query, Traced())
        return result, answer, await handle.query(Through.memo)


ACTIVITY = "activity pass_on of w"


@pytest.mark.asyncio
async def test_a_value_is_marked_with_whose_it_is_at_every_crossing() -> None:
    result, answer, memo = await run(TRACING, "pass_on")

    assert result.marks == [
        "out workflow w",  # the client starts
        "in workflow w",
        f"out {ACTIVITY}",  # the workflow asks for the activity
        f"in {ACTIVITY}",
        f"out {ACTIVITY}",  # the activity returns
        f"in {ACTIVITY}",
        "out workflow w",  # the workflow returns
        "in workflow w",
    ]
    assert answer == ["out workflow w", "in workflow w"] * 2
    assert memo == ["out workflow w", "in workflow w"]


@pytest.mark.asyncio
async def test_heartbeats_are_the_activitys() -> None:
    result, _, _ = await run(TRACING, "look_back")

    mine = "activity look_back of w"
    assert result.marks[:3] == ["heartbeat", f"out {mine}", f"in {mine}"]


class Sealed(PayloadCodec, WithSerializationContext):
    """Seals each payload for its owner, and refuses one that was sealed for another."""

    def __init__(self, context: SerializationContext | None = None) -> None:
        self._context = context

    def with_context(self, context: SerializationContext) -> Self:
        return type(self)(context)

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        seal = label(self._context).encode()
        assert seal != b"nobody"
        return [
            Payload({"encoding": b"sealed", "for": seal}, payload.SerializeToString())
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        for payload in payloads:
            assert payload.metadata["for"].decode() == label(self._context)
        return [Payload.FromString(payload.data) for payload in payloads]


@pytest.mark.asyncio
@pytest.mark.parametrize("activity_name", ["pass_on", "look_back"])
async def test_a_codec_is_told_the_same_on_both_sides(activity_name: str) -> None:
    """What is sealed for its owner is opened for its owner: live, on replay, in the worker and in the client."""
    result, answer, _ = await run(DataConverter(payload_codec=Sealed()), activity_name)

    assert result == Traced(["heartbeat"] if activity_name == "look_back" else [])
    assert answer == []


class TellingFailures(DefaultFailureConverter, WithSerializationContext):
    """Puts whose it is into each failure's message."""

    def __init__(self) -> None:
        super().__init__()
        self.context: SerializationContext | None = None

    def with_context(self, context: SerializationContext) -> Self:
        made = type(self)()
        made.context = context
        return made

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        super().to_failure(exception, payload_converter, failure)
        if isinstance(exception, ApplicationError) and exception.failure is None:
            failure.message += f" out {label(self.context)}"

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        error = super().from_failure(failure, payload_converter)
        if isinstance(error, ApplicationError):
            error._message += f" in {label(self.context)}"
        return error


@activity.defn
async def fail() -> None:
    raise ApplicationError("no", non_retryable=True)


@workflow.defn
class Failing:
    @workflow.run
    async def run(self) -> None:
        try:
            await workflow.execute_activity(fail, start_to_close_timeout=timedelta(seconds=5))
        except ActivityError as error:
            cause = error.cause
            assert isinstance(cause, ApplicationError)
            raise ApplicationError(f"[{cause.message}]") from None


@pytest.mark.asyncio
async def test_failures_are_told_whose_they_are() -> None:
    """A failure converter of one's own is given a failure to fill, with its context."""
    converter = DataConverter(failure_converter_class=TellingFailures)
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=converter) as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Failing],
            activities=[fail],
            max_cached_workflows=0,
        ),
    ):
        with pytest.raises(WorkflowFailureError) as raised:
            await env.client.execute_workflow(Failing.run, id="w", task_queue="q")

    cause = raised.value.cause
    assert isinstance(cause, ApplicationError)
    of_activity = "activity fail of w"
    assert cause.message == (
        f"[no out {of_activity} in {of_activity}] out workflow w in workflow w"
    )


@workflow.defn
class Relative:
    """The parent's child, and the other workflow that it signals."""

    def __init__(self) -> None:
        self.signaled: Traced | None = None

    @workflow.run
    async def run(self, value: Traced) -> Traced:
        await workflow.wait_condition(lambda: self.signaled is not None)
        assert self.signaled is not None
        return Traced(value.marks + self.signaled.marks)

    @workflow.signal
    def signal(self, value: Traced) -> None:
        self.signaled = value

    @workflow.update
    async def update(self, value: Traced) -> Traced:
        return value

    @update.validator
    def check(self, value: Traced) -> None:
        assert value.marks[-1].endswith(workflow.info().workflow_id)


@workflow.defn
class Parent:
    @workflow.run
    async def run(self) -> Traced:
        child = await workflow.start_child_workflow(
            Relative.run, Traced(), id="c", memo={"note": Traced()}
        )
        await child.signal(Relative.signal, Traced())
        other = workflow.get_external_workflow_handle_for(Relative.run, "other")
        await other.signal(Relative.signal, Traced())
        return await child


async def relatives(converter: DataConverter) -> tuple[Traced, Traced, Traced]:
    """What the child, the update and the other workflow returned."""
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=converter) as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Relative, Parent],
            max_cached_workflows=0,
        ),
    ):
        other = await env.client.start_workflow(Relative.run, Traced(), id="other", task_queue="q")
        updated = await other.execute_update(Relative.update, Traced(["mine other"]))
        result = await env.client.execute_workflow(Parent.run, id="p", task_queue="q")
        return result, updated, await other.result()


@pytest.mark.asyncio
async def test_what_goes_to_another_workflow_is_the_others() -> None:
    of_child, updated, of_other = await relatives(TRACING)

    ways = ["out workflow c", "in workflow c"]
    assert of_child.marks == [*ways, *ways, *ways, "out workflow p", "in workflow p"]
    there = ["out workflow other", "in workflow other"]
    assert updated.marks == ["mine other", *there, *there]
    assert of_other.marks == [*there, *there, *there]


@pytest.mark.asyncio
async def test_a_codec_is_told_the_same_of_other_workflows() -> None:
    await relatives(DataConverter(payload_codec=Sealed()))


def test_nobody_pays_for_contexts_that_nobody_asks_for() -> None:
    context = WorkflowSerializationContext("default", "w")

    assert DataConverter.default.with_context(context) is DataConverter.default
    assert TRACING.with_context(context) is not TRACING
