"""Interceptors of a worker: of the activities that it runs, and of the workflows that it steps.

    task --> first inbound --> ... --> the activity --> first outbound (info, heartbeat) --> ... --> the worker

Those of workflows run within the workflow (`streamflow.workflow.interceptor`); this is where both are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from streamflow.model.payload import Payload
from streamflow.workflow.interceptor import WorkflowInboundInterceptor

if TYPE_CHECKING:
    from streamflow.activity import Info


@dataclass(frozen=True)
class WorkflowInterceptorClassInput:
    """What `Interceptor.workflow_interceptor_class` is given."""

    unsafe_extern_functions: MutableMapping[str, Callable[..., Any]]
    """Add functions that workflow code finds in `workflow.extern_functions()`. They run where the guards do not look."""


@dataclass
class ExecuteActivityInput:
    """An attempt about to run."""

    fn: Callable[..., Any]
    args: Sequence[Any]
    executor: Executor | None
    """Where a sync activity runs; ``None`` for an async one."""
    headers: Mapping[str, Payload]


class Interceptor:
    """Give it to `Worker(interceptors=[...])`; the first is outermost.

    One that is a `streamflow.client.Interceptor` too and is given to a client is used by its Workers without being named
    there again.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """What an attempt goes through. Called for each attempt. Default: ``next`` itself."""
        return next

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        """The class of which each run gets an object. Called once for a worker. Default: none."""
        return None

    def intercept_nexus_operation(
        self, next: NexusOperationInboundInterceptor
    ) -> NexusOperationInboundInterceptor:
        """Never called: there is no Nexus here."""
        return next


class ActivityInboundInterceptor:
    """Passes attempts on; override what is to be seen, changed or refused."""

    def __init__(self, next: ActivityInboundInterceptor) -> None:
        self.next = next

    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        """Called once for each attempt, before it runs; pass an outbound interceptor of one's own on to the next."""
        self.next.init(outbound)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """On the worker's event loop, for sync activities too."""
        return await self.next.execute_activity(input)


class ActivityOutboundInterceptor:
    """What activity code asks of its worker."""

    def __init__(self, next: ActivityOutboundInterceptor) -> None:
        self.next = next

    def info(self) -> Info:
        """For each call of `activity.info()`, in the activity's task or thread."""
        return self.next.info()

    def heartbeat(self, *details: Any) -> None:
        """For each call of `activity.heartbeat()`, in the activity's task or thread."""
        self.next.heartbeat(*details)


@dataclass
class ExecuteNexusOperationStartInput:
    """There for interceptors that are ported; no worker serves Nexus operations."""

    ctx: Any
    input: Any


@dataclass
class ExecuteNexusOperationCancelInput:
    """There for interceptors that are ported; no worker serves Nexus operations."""

    ctx: Any
    token: str


class NexusOperationInboundInterceptor:
    """There for interceptors that are ported; no worker serves Nexus operations."""

    def __init__(self, next: NexusOperationInboundInterceptor) -> None:
        self.next = next

    async def execute_nexus_operation_start(self, input: ExecuteNexusOperationStartInput) -> Any:
        return await self.next.execute_nexus_operation_start(input)

    async def execute_nexus_operation_cancel(self, input: ExecuteNexusOperationCancelInput) -> None:
        await self.next.execute_nexus_operation_cancel(input)
