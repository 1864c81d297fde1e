"""A Replayer tells code that still does what a history says from code that does not."""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from streamflow import activity, workflow
from streamflow.client import WorkflowHistory
from streamflow.converter import DataConverter, PayloadCodec
from streamflow.exceptions import ApplicationError
from streamflow.model.payload import Payload
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    Replayer,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowReplayResult,
)
from streamflow.workflow import NondeterminismError

pytestmark = pytest.mark.asyncio
MINUTE = timedelta(minutes=1)


@activity.defn
async def hello(name: str) -> str:
    return f"Hello, {name}"


@workflow.defn
class Greets:
    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self, mode: str) -> str:
        await workflow.sleep(1)
        said = await workflow.execute_activity(hello, "you", start_to_close_timeout=MINUTE)
        if mode == "wait":
            await workflow.wait_condition(lambda: self.done)
        if mode == "fail":
            raise ApplicationError("as told")
        return said

    @workflow.signal
    def finish(self) -> None:
        self.done = True


@workflow.defn(name="Greets")
class ChangedGreets:
    @workflow.run
    async def run(self, mode: str) -> str:
        said: str = await workflow.execute_activity(hello, "you", start_to_close_timeout=MINUTE)
        await workflow.sleep(1)
        return said


@workflow.defn(name="Greets")
class BrokenGreets:
    @workflow.run
    async def run(self, mode: str) -> str:
        raise RuntimeError("a bug")


async def _history(mode: str, workflow_id: str = "w") -> WorkflowHistory:
    async with (
        await WorkflowEnvironment.start_time_skipping() as env,
        Worker(env.client, task_queue="q", workflows=[Greets], activities=[hello]),
    ):
        handle = await env.client.start_workflow(Greets.run, mode, id=workflow_id, task_queue="q")
        if mode == "wait":
            await env.sleep(5)
        else:
            with pytest.raises(Exception) if mode == "fail" else warnings.catch_warnings():  # noqa: PT011
                await handle.result()
        return await handle.fetch_history()


@pytest.mark.parametrize("mode", ["complete", "wait", "fail"])
async def test_unchanged_code_replays_however_the_run_stands(mode: str) -> None:
    history = await _history(mode)

    result = await Replayer(workflows=[Greets]).replay_workflow(history)

    assert result == WorkflowReplayResult(history, None)


class LostKey(PayloadCodec):
    """Has no key for anything."""

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return [*payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        raise KeyError("no such key")


async def test_what_the_codec_raises_is_the_failure_itself() -> None:
    """So that one sees which key or store is missing where the replay runs."""
    history = await _history("complete")
    replayer = Replayer(workflows=[Greets], data_converter=DataConverter(payload_codec=LostKey()))

    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)

    assert isinstance(result.replay_failure, KeyError)


async def test_a_history_from_a_file_replays() -> None:
    history = await _history("complete")
    text = history.to_json()

    await Replayer(workflows=[Greets]).replay_workflow(WorkflowHistory.from_json("w", text))
    await Replayer(workflows=[Greets]).replay_workflow(
        WorkflowHistory.from_json("w", json.loads(text))
    )


async def test_changed_code_is_told_by_the_failure_or_raised() -> None:
    history = await _history("complete")
    replayer = Replayer(workflows=[ChangedGreets])

    with pytest.raises(NondeterminismError, match="TimerStarted"):
        await replayer.replay_workflow(history)
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)

    assert isinstance(result.replay_failure, NondeterminismError)
    assert result.history is history


async def test_what_the_code_raises_that_is_no_failure_is_the_failure_of_the_replay() -> None:
    history = await _history("complete")

    with pytest.raises(RuntimeError, match="a bug"):
        await Replayer(workflows=[BrokenGreets]).replay_workflow(history)


async def test_an_unknown_workflow_type_is_named() -> None:
    @workflow.defn
    class Other:
        @workflow.run
        async def run(self) -> None: ...

    history = await _history("complete")
    with pytest.raises(ValueError, match="Greets is not registered"):
        await Replayer(workflows=[Other]).replay_workflow(history)
    with pytest.raises(ValueError, match="At least one workflow"):
        Replayer(workflows=[])


async def _all(*histories: WorkflowHistory) -> AsyncIterator[WorkflowHistory]:
    for history in histories:
        yield history


async def test_several_histories_give_the_failures_by_run() -> None:
    good, other = await _history("complete"), await _history("complete", "v")
    torn = WorkflowHistory.of("v", [*other.recorded[:1], *other.recorded[2:]], "torn")
    replayer = Replayer(workflows=[Greets])

    results = await replayer.replay_workflows(
        _all(good, torn, other), raise_on_replay_failure=False
    )

    assert list(results.replay_failures) == ["torn"]
    with pytest.raises(Exception):  # noqa: B017, PT011
        await replayer.replay_workflows(_all(good, torn))


async def test_results_can_be_looked_at_one_by_one() -> None:
    good, bad = await _history("complete"), await _history("fail")
    seen: list[bool] = []
    with ThreadPoolExecutor(1) as threads:
        replayer = Replayer(workflows=[Greets], workflow_task_executor=threads)
        async with replayer.workflow_replay_iterator(_all(good, bad)) as results:
            seen.extend([result.replay_failure is None async for result in results])

    assert seen == [True, True]


async def test_interceptors_stand_around_replayed_code() -> None:
    seen: list[Any] = []

    class Sees(Interceptor):
        def workflow_interceptor_class(
            self, input: WorkflowInterceptorClassInput
        ) -> type[WorkflowInboundInterceptor]:
            class Inbound(WorkflowInboundInterceptor):
                async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                    seen.append((input.args, workflow.unsafe.is_replaying()))
                    return await super().execute_workflow(input)

            return Inbound

    await Replayer(workflows=[Greets], interceptors=[Sees()]).replay_workflow(
        await _history("complete")
    )

    assert seen == [(["complete"], True)]
