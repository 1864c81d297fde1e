"""Interceptors see children, messages to other workflows and updates too; headers travel as the client says."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import Interceptor as ClientInterceptor
from streamflow.client import OutboundInterceptor, StartWorkflowInput, WorkflowUpdateFailedError
from streamflow.common import HeaderCodecBehavior
from streamflow.converter import DataConverter, PayloadCodec
from streamflow.exceptions import ApplicationError
from streamflow.model.payload import Payload
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import (
    ActivityInboundInterceptor,
    ExecuteActivityInput,
    ExecuteWorkflowInput,
    HandleUpdateInput,
    Interceptor,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

pytestmark = pytest.mark.asyncio
MINUTE = timedelta(minutes=1)
Trace = list[tuple[str, Any]]


@workflow.defn
class Waits:
    def __init__(self) -> None:
        self.over = asyncio.Event()

    @workflow.run
    async def run(self) -> None:
        await self.over.wait()

    @workflow.signal
    def end(self, why: str) -> None:
        self.over.set()


@workflow.defn
class Speaks:
    def __init__(self) -> None:
        self.over = False

    @workflow.run
    async def run(self) -> str:
        child = await workflow.start_child_workflow(Waits.run, id="child")
        await child.signal(Waits.end, "to the child")
        await child
        other = workflow.get_external_workflow_handle_for(Waits.run, "other")
        await other.signal(Waits.end, "to the other")
        await workflow.wait_condition(lambda: self.over)
        return "over"

    @workflow.update
    async def finish(self, word: str) -> str:
        self.over = True
        return word.upper()

    @finish.validator
    def _check(self, word: str) -> None:
        if word == "no":
            raise ApplicationError("refused")


class Tracing(Interceptor):
    def __init__(self, trace: Trace) -> None:
        self.trace = trace

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        trace = self.trace

        class Outbound(WorkflowOutboundInterceptor):
            async def start_child_workflow(self, input: StartChildWorkflowInput) -> Any:
                trace.append(("child", (input.workflow, input.id, list(input.args))))
                return await super().start_child_workflow(input)

            async def signal_child_workflow(self, input: SignalChildWorkflowInput) -> None:
                trace.append(("signal child", (input.child_workflow_id, input.signal)))
                await super().signal_child_workflow(input)

            async def signal_external_workflow(self, input: SignalExternalWorkflowInput) -> None:
                trace.append(("signal external", (input.workflow_id, list(input.args))))
                await super().signal_external_workflow(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

            def handle_update_validator(self, input: HandleUpdateInput) -> None:
                trace.append(("validate", (input.update, list(input.args))))
                super().handle_update_validator(input)

            async def handle_update_handler(self, input: HandleUpdateInput) -> Any:
                trace.append(("update", (input.id, list(input.args))))
                return await super().handle_update_handler(input) + "!"

        return Inbound


@pytest.mark.parametrize("cached", [100, 0])
async def test_children_messages_and_updates_pass_the_interceptors(cached: int) -> None:
    trace: Trace = []
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Speaks, Waits],
            interceptors=[Tracing(trace)],
            max_cached_workflows=cached,
        ),
    ):
        other = await env.client.start_workflow(Waits.run, id="other", task_queue="q")
        handle = await env.client.start_workflow(Speaks.run, id="w", task_queue="q")
        await other.result()
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update(Speaks.finish, "no")
        assert await handle.execute_update(Speaks.finish, "yes", id="u") == "YES!"
        assert await handle.result() == "over"

    expected: list[tuple[str, Any]] = [
        ("child", ("Waits", "child", [])),
        ("signal child", ("child", "end")),
        ("signal external", ("other", ["to the other"])),
        ("validate", ("finish", ["no"])),
        ("validate", ("finish", ["yes"])),
        ("update", ("u", ["yes"])),
    ]
    assert [seen for seen in expected if seen not in trace] == []


class Marks(PayloadCodec):
    """Shows on each payload that it was encoded."""

    async def encode(self, payloads: Sequence[Any]) -> list[Any]:
        return [
            Payload(metadata={**p.metadata, "marked": b"yes"}, data=b"!" + p.data) for p in payloads
        ]

    async def decode(self, payloads: Sequence[Any]) -> list[Any]:
        return [
            Payload({k: v for k, v in p.metadata.items() if k != "marked"}, p.data[1:])
            if "marked" in p.metadata
            else p
            for p in payloads
        ]


@activity.defn
async def work() -> None: ...


@workflow.defn
class Works:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(work, start_to_close_timeout=MINUTE)


class Headers(ClientInterceptor, Interceptor):
    """Sets a header at the client and in the workflow, and notes how it arrives."""

    def __init__(self) -> None:
        self.seen: dict[str, bytes] = {}
        self.header = DataConverter.default.payload_converter.to_payload("value")

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:
        header = self.header

        class Outbound(OutboundInterceptor):
            async def start_workflow(self, input: StartWorkflowInput) -> Any:
                input.headers = {"h": header}
                return await super().start_workflow(input)

        return Outbound(next)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        seen = self.seen

        class Inbound(ActivityInboundInterceptor):
            async def execute_activity(self, input: ExecuteActivityInput) -> Any:
                seen["activity"] = bytes(input.headers["h"].data)
                return await super().execute_activity(input)

        return Inbound(next)

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor]:
        seen, header = self.seen, self.header

        class Outbound(WorkflowOutboundInterceptor):
            def start_activity(self, input: StartActivityInput) -> workflow.ActivityHandle[Any]:
                input.headers = {"h": header}
                return super().start_activity(input)

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(Outbound(outbound))

            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                seen["workflow"] = bytes(input.headers["h"].data)
                return await super().execute_workflow(input)

        return Inbound


@pytest.mark.parametrize(
    ("behavior", "start_stored", "activity_stored", "activity_sees"),
    [
        (HeaderCodecBehavior.NO_CODEC, b'"value"', b'"value"', b'"value"'),
        (HeaderCodecBehavior.CODEC, b'!"value"', b'!"value"', b'"value"'),
        # What the workflow encodes nobody decodes at the activity, as in the model.
        (HeaderCodecBehavior.WORKFLOW_ONLY_CODEC, b'"value"', b'!"value"', b'!"value"'),
    ],
)
async def test_headers_are_encoded_as_the_client_says(
    behavior: HeaderCodecBehavior, start_stored: bytes, activity_stored: bytes, activity_sees: bytes
) -> None:
    interceptor = Headers()
    converter = dataclasses.replace(DataConverter.default, payload_codec=Marks())
    async with (
        await WorkflowEnvironment.start_time_skipping(
            data_converter=converter, interceptors=[interceptor], header_codec_behavior=behavior
        ) as env,
        Worker(env.client, task_queue="q", workflows=[Works], activities=[work]),
    ):
        await env.client.execute_workflow(Works.run, id="w", task_queue="q")
        history = await env.client.get_workflow_handle("w").fetch_history()

    stored = [
        event.event.headers["h"].data  # type: ignore[union-attr]  # those two have headers
        for event in history.recorded
        if type(event.event).__name__ in ("WorkflowStarted", "ActivityScheduled")
    ]
    assert stored == [start_stored, activity_stored]
    assert interceptor.seen == {"workflow": b'"value"', "activity": activity_sees}
