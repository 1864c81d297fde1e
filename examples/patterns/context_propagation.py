"""Who asked goes along in headers, from the caller through the workflow to its activities, without being an argument."""

from __future__ import annotations

from contextvars import ContextVar
from datetime import timedelta
from typing import Any

from examples.hello import run
from streamflow import activity, client, worker, workflow
from streamflow.converter import default

QUEUE = "context"
HEADER = "user"
user: ContextVar[str] = ContextVar("user", default="nobody")


class Propagation(client.Interceptor, worker.Interceptor):
    """One interceptor for both sides; a Worker takes it over from its client."""

    def intercept_client(self, next: client.OutboundInterceptor) -> client.OutboundInterceptor:
        return _Caller(next)

    def intercept_activity(
        self, next: worker.ActivityInboundInterceptor
    ) -> worker.ActivityInboundInterceptor:
        return _Activity(next)

    def workflow_interceptor_class(
        self, input: worker.WorkflowInterceptorClassInput
    ) -> type[worker.WorkflowInboundInterceptor]:
        return _Workflow


def _set(headers: Any) -> Any:
    payload = default().payload_converter.to_payload(user.get())
    return {**headers, HEADER: payload}


def _take(headers: Any) -> None:
    if HEADER in headers:
        user.set(default().payload_converter.from_payload(headers[HEADER], str))


class _Caller(client.OutboundInterceptor):
    async def start_workflow(
        self, input: client.StartWorkflowInput
    ) -> client.WorkflowHandle[Any, Any]:
        input.headers = _set(input.headers)
        return await super().start_workflow(input)


class _Activity(worker.ActivityInboundInterceptor):
    async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
        _take(input.headers)
        return await super().execute_activity(input)


class _Workflow(worker.WorkflowInboundInterceptor):
    def init(self, outbound: worker.WorkflowOutboundInterceptor) -> None:
        super().init(_Outbound(outbound))

    async def execute_workflow(self, input: worker.ExecuteWorkflowInput) -> Any:
        _take(input.headers)
        return await super().execute_workflow(input)


class _Outbound(worker.WorkflowOutboundInterceptor):
    def start_activity(self, input: worker.StartActivityInput) -> workflow.ActivityHandle[Any]:
        input.headers = _set(input.headers)
        return super().start_activity(input)


@activity.defn
async def who_asks() -> str:
    return user.get()


@workflow.defn
class WhoAsks:
    @workflow.run
    async def run(self) -> list[str]:
        seen = await workflow.execute_activity(
            who_asks, start_to_close_timeout=timedelta(seconds=10)
        )
        return [user.get(), seen]


async def main(plain: client.Client) -> list[str]:
    config = plain.config()
    config["interceptors"] = [Propagation()]
    caller = client.Client(**config)
    async with worker.Worker(caller, task_queue=QUEUE, workflows=[WhoAsks], activities=[who_asks]):
        user.set("Ada")
        return await caller.execute_workflow(WhoAsks.run, id="who-asks", task_queue=QUEUE)


if __name__ == "__main__":
    run(main)
