"""Small things that ported programs count on: what is asked, how often, and what is no error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from streamflow import workflow
from streamflow.api.common.v1 import Payload
from streamflow.client import Client
from streamflow.converter import DataConverter, ExternalStorage, PayloadCodec
from streamflow.converter.file_driver import FileStorageDriver
from streamflow.service import RPCError, RPCStatusCode
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import (
    HandleUpdateInput,
    Interceptor,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

asked: list[str] = []


@workflow.defn(sandboxed=False)
class Listens:
    @workflow.run
    async def run(self, word: str) -> str:
        await workflow.wait_condition(lambda: word == "go")
        return word

    @workflow.update
    def free(self) -> None: ...

    @workflow.update
    def checked(self) -> None: ...

    @checked.validator
    def check(self) -> None: ...


class Notes(WorkflowInboundInterceptor):
    def handle_update_validator(self, input: HandleUpdateInput) -> None:
        asked.append(input.update)
        super().handle_update_validator(input)


class Noting(Interceptor):
    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        return Notes


class Counting(PayloadCodec):
    def __init__(self) -> None:
        self.calls: list[str] = []

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.calls.append("encode")
        return [*payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        self.calls.append("decode")
        return [*payloads]


@pytest.mark.asyncio
async def test_only_updates_with_a_validator_are_validated() -> None:
    """An interceptor is not asked about the others."""
    asked.clear()
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Listens], interceptors=[Noting()]),
    ):
        handle = await env.client.start_workflow(Listens.run, "stay", id="w", task_queue="q")
        await handle.execute_update(Listens.free)
        await handle.execute_update(Listens.checked)

    assert asked == ["checked"]


@pytest.mark.asyncio
async def test_cancelling_what_is_over_is_no_error() -> None:
    """What was asked for holds; terminating it is refused, as is cancelling what never was."""
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Listens]),
    ):
        handle = await env.client.start_workflow(Listens.run, "go", id="w", task_queue="q")
        await handle.result()

        await handle.cancel()
        with pytest.raises(RPCError) as refused:
            await handle.terminate()
        assert refused.value.status is RPCStatusCode.NOT_FOUND
        with pytest.raises(RPCError):
            await env.client.get_workflow_handle("other").cancel()


@pytest.mark.asyncio
async def test_a_local_environments_converter_is_the_default_one(tmp_path: Path) -> None:
    """Plugins that replace only the default converter look for equality; storage of one's own counts."""
    async with await WorkflowEnvironment.start_local() as env:
        found = env.client.data_converter

        assert found.external_storage is not None
        assert found == DataConverter.default
        storage = ExternalStorage(drivers=[FileStorageDriver(tmp_path)])
        assert found != replace(found, external_storage=storage)


@pytest.mark.asyncio
async def test_an_argument_is_decoded_once() -> None:
    codec = Counting()
    async with await WorkflowEnvironment.start_time_skipping() as env:
        config = env.client.config()
        config["data_converter"] = replace(DataConverter.default, payload_codec=codec)
        client = Client(**config)
        async with Worker(client, task_queue="q", workflows=[Listens]):
            await client.execute_workflow(Listens.run, "go", id="w", task_queue="q")

    assert codec.calls == ["encode", "decode", "encode", "decode"]
