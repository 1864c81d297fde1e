"""Signatures name every option with the default that it has, for help, editors and whoever wraps a call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import ModuleType
from typing import Any
from unittest.mock import create_autospec

import pytest

from streamflow import activity, client, testing, worker, workflow
from streamflow.client import Client, RPCError, RPCStatusCode
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

SECOND = timedelta(seconds=1)
TAKES_ANY = {"LoggerAdapter.log", "WorkflowEnvironment.connect_client", "ActivityEnvironment.run"}
"""What passes its keywords on, to a logger, a connection or a user's function."""


def functions(module: ModuleType) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in module.__all__:
        found = getattr(module, name)
        if not inspect.isclass(found):
            if inspect.isfunction(found):
                yield name, found
            continue
        for method, function in inspect.getmembers(found, inspect.isfunction):
            if method == "__init__" or not method.startswith("_"):
                yield f"{name}.{method}", function


@pytest.mark.parametrize("module", [activity, client, testing, worker, workflow])
def test_no_public_function_hides_its_options(module: ModuleType) -> None:
    """Except what has no counterpart here, and raises whatever it is given."""
    hiding = {
        name
        for name, function in functions(module)
        for one in inspect.signature(function).parameters.values()
        if one.kind is one.VAR_KEYWORD and _is_ours(function)
    }

    assert hiding <= TAKES_ANY


def _is_ours(function: Callable[..., Any]) -> bool:
    """Neither the standard library's, nor of a thing that is not there."""
    ours = function.__module__.startswith("streamflow.")
    absent = function.__module__ in ("streamflow.client.retired", "streamflow.workflow.coming")
    return ours and not absent and function.__annotations__.get("return") != "NoReturn"


@activity.defn
async def does(number: int) -> int:
    return number


@workflow.defn
class Child:
    @workflow.run
    async def run(self) -> str:
        return workflow.info().workflow_id


@workflow.defn
class Asks:
    """Each kind of call with what it needs and no more."""

    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(does, 1, start_to_close_timeout=SECOND)
        await workflow.execute_local_activity(does, 2, start_to_close_timeout=SECOND)
        await workflow.execute_child_workflow(Child.run, id="child")


SEEN: dict[str, Any] = {}


class Notes(worker.Interceptor):
    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        return NotesInside


class NotesInside(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(NotesOutbound(outbound))


class NotesOutbound(worker.WorkflowOutboundInterceptor):
    def start_activity(self, input: worker.StartActivityInput) -> Any:
        SEEN["start_activity"] = input
        return super().start_activity(input)

    def start_local_activity(self, input: worker.StartLocalActivityInput) -> Any:
        SEEN["start_local_activity"] = input
        return super().start_local_activity(input)

    async def start_child_workflow(self, input: worker.StartChildWorkflowInput) -> Any:
        SEEN["start_child_workflow"] = input
        return await super().start_child_workflow(input)


class NotesClient(client.Interceptor):
    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        return NotesCalls(next)


class NotesCalls(client.OutboundInterceptor):
    async def start_workflow(self, input: client.StartWorkflowInput) -> Any:
        SEEN["Client.start_workflow"] = input
        return await super().start_workflow(input)

    async def start_activity(self, input: client.StartActivityInput) -> Any:
        SEEN["Client.start_activity"] = input
        return await super().start_activity(input)


@pytest.mark.asyncio
async def test_the_defaults_that_are_shown_are_those_that_count() -> None:
    """As interceptors see what was not given."""
    async with (
        await WorkflowEnvironment.start_time_skipping(interceptors=[NotesClient()]) as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Asks, Child],
            activities=[does],
            interceptors=[Notes()],
        ),
    ):
        await env.client.execute_workflow(Asks.run, id="asks", task_queue="q")
        await env.client.execute_activity(
            does, 3, id="alone", task_queue="q", start_to_close_timeout=SECOND
        )

    given = {"id", "task_queue", "start_to_close_timeout", "args", "arg", "result_type"}
    calls: dict[str, Callable[..., Any]] = {
        "start_activity": workflow.start_activity,
        "start_local_activity": workflow.start_local_activity,
        "start_child_workflow": workflow.start_child_workflow,
        "Client.start_workflow": Client.start_workflow,
        "Client.start_activity": Client.start_activity,
    }
    for name, function in calls.items():
        seen = vars(SEEN[name])
        shown = {
            one.name: one.default
            for one in inspect.signature(function).parameters.values()
            if one.kind is one.KEYWORD_ONLY and one.name not in given
        }
        shown.pop("stack_level", None)  # of a warning, which is over when interceptors are asked
        assert shown == {option: seen[option] for option in shown}, name
        assert len(shown) > 6


def test_what_must_be_given_has_no_default() -> None:
    """As Python has it for any argument."""
    needed = {
        one.name
        for one in inspect.signature(Client.start_workflow).parameters.values()
        if one.kind is one.KEYWORD_ONLY and one.default is one.empty
    }

    assert needed == {"id", "task_queue"}


@pytest.mark.asyncio
async def test_a_stand_in_made_of_the_client_refuses_what_the_client_would() -> None:
    """`create_autospec` goes by signatures."""
    stand_in = create_autospec(Client, instance=True)

    await stand_in.start_workflow("Any", id="w", task_queue="q", cron_schedule="@daily")

    with pytest.raises(TypeError, match="start_delai"):
        await stand_in.start_workflow("Any", id="w", task_queue="q", start_delai=SECOND)


@pytest.mark.asyncio
async def test_test_environments_know_the_options_of_servers_and_no_others() -> None:
    async with await WorkflowEnvironment.start_time_skipping(
        test_server_download_version="v1", port=7233
    ):
        pass
    with pytest.raises(TypeError, match="test_sever_download_version"):
        await WorkflowEnvironment.start_time_skipping(test_sever_download_version="v1")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="dev_sever_log_level"):
        await WorkflowEnvironment.start_local(dev_sever_log_level="warn")  # type: ignore[call-arg]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("what", "call"),
    [
        ("WorkflowId", lambda c: c.start_workflow("Any", id="", task_queue="q")),
        ("WorkflowId", lambda c: c.execute_workflow("Any", id="", task_queue="q")),
        ("TaskQueue", lambda c: c.start_workflow("Any", id="w", task_queue="")),
        (
            "ActivityId",
            lambda c: c.start_activity("a", id="", task_queue="q", start_to_close_timeout=SECOND),
        ),
        (
            "TaskQueue",
            lambda c: c.start_activity("a", id="a", task_queue="", start_to_close_timeout=SECOND),
        ),
        (
            "ScheduleId",
            lambda c: c.create_schedule(
                "",
                client.Schedule(
                    client.ScheduleActionStartWorkflow("Any", id="w", task_queue="q"),
                    client.ScheduleSpec(),
                ),
            ),
        ),
    ],
)
async def test_an_empty_id_or_queue_is_an_invalid_argument(
    what: str, call: Callable[[Client], Any]
) -> None:
    """Before anything is sent."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with pytest.raises(RPCError, match=f"{what} is not set on request") as caught:
            await call(env.client)

    assert caught.value.status is RPCStatusCode.INVALID_ARGUMENT
