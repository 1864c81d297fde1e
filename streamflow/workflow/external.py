"""Workflows that are none of ours: signalled, or asked to stop, by their ID."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from streamflow.coroutine.beginning import begin_message
from streamflow.coroutine.context import current
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.machines.external import CancelRequest, SignalRequest
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.payload import NO_HEADERS, Payload
from streamflow.model.relations import Target
from streamflow.workflow.arguments import NO_ARGUMENT, arguments_of
from streamflow.workflow.inputs import SignalChildWorkflowInput, SignalExternalWorkflowInput
from streamflow.workflow.interception import outbound
from streamflow.workflow.naming import signal_name

SelfT = TypeVar("SelfT")
ArgT = TypeVar("ArgT")
Params = ParamSpec("Params")


class ExternalWorkflowHandle(Generic[SelfT]):
    """A workflow by its ID, or one run of it. Made by `get_external_workflow_handle`; nothing is asked before a call."""

    def __init__(
        self, workflow_id: str, run_id: str | None = None, *, task_queue: str | None = None
    ) -> None:
        self._id = workflow_id
        self._run_id = run_id
        self._queue = task_queue or ""

    @property
    def id(self) -> str:
        return self._id

    @property
    def run_id(self) -> str | None:
        """The run that is meant; ``None`` is whichever is the latest."""
        return self._run_id

    @overload
    async def signal(self, signal: Callable[[SelfT], Awaitable[None] | None]) -> None: ...

    @overload
    async def signal(
        self, signal: Callable[[SelfT, ArgT], Awaitable[None] | None], arg: ArgT
    ) -> None: ...

    @overload
    async def signal(
        self,
        signal: Callable[Concatenate[SelfT, Params], Awaitable[None] | None],
        *,
        args: Sequence[Any],
    ) -> None: ...

    @overload
    async def signal(self, signal: str, arg: Any = ..., *, args: Sequence[Any] = ...) -> None: ...

    async def signal(
        self,
        signal: str | Callable[..., Any],
        arg: Any = NO_ARGUMENT,
        *,
        args: Sequence[Any] = (),
    ) -> None:
        """Returns when the signal is in the workflow's history.

        Raises:
            ApplicationError: of type ``ExternalWorkflowExecutionNotFound`` when there is no such open workflow.
        """
        instance = current()
        instance.refuse_changes()
        given = SignalExternalWorkflowInput(
            signal=signal_name(signal),
            args=arguments_of(arg, args),
            namespace=instance.facts.namespace,
            workflow_id=self._id,
            workflow_run_id=self._run_id,
            headers=NO_HEADERS,
            task_queue=self._queue or None,
        )
        first = outbound()
        if first is not None:
            await first.signal_external_workflow(given)
        else:
            await signal_given(given)

    async def cancel(self, *, reason: str = "") -> None:
        """Returns when the workflow has been asked to stop; its end is not waited for.

        Raises:
            ApplicationError: of type ``ExternalWorkflowExecutionNotFound`` when there is no such open workflow.
        """
        instance = current()
        instance.refuse_changes()
        target = Target(
            workflow_id=WorkflowId(self._id),
            run_id=RunId(self._run_id) if self._run_id else None,
            queue=self._queue,
        )
        values = instance.values.of_workflow(instance.facts, self._id)
        await begin_message(instance, CancelRequest(target=target, reason=reason), values)


def get_external_workflow_handle(
    workflow_id: str, *, run_id: str | None = None, task_queue: str | None = None
) -> ExternalWorkflowHandle[Any]:
    """A handle to a workflow that may exist.

    Args:
        task_queue: Where it is. Default: looked for, on the caller's own queue first, then on those that have a live
            worker. A workflow whose workers are all down at that time is found only if its queue is named.
    """
    current()
    return ExternalWorkflowHandle(workflow_id, run_id, task_queue=task_queue)


def get_external_workflow_handle_for(
    workflow: Callable[Concatenate[SelfT, Params], Awaitable[Any]],
    workflow_id: str,
    *,
    run_id: str | None = None,
    task_queue: str | None = None,
) -> ExternalWorkflowHandle[SelfT]:
    """As `get_external_workflow_handle`, with the types of this workflow's class."""
    current()
    return ExternalWorkflowHandle(workflow_id, run_id, task_queue=task_queue)


async def signal_given(given: SignalExternalWorkflowInput) -> None:
    """Signals what the last interceptor passed on."""
    target = Target(
        workflow_id=WorkflowId(given.workflow_id),
        run_id=RunId(given.workflow_run_id) if given.workflow_run_id else None,
        queue=given.task_queue or "",
    )
    await _send(target, given.signal, given.args, given.headers)


async def signal_given_child(given: SignalChildWorkflowInput) -> None:
    """The same for a child of the running workflow."""
    target = targets_of(current()).get(given.child_workflow_id)
    if target is None:
        raise ValueError(
            f"Expected the ID of a child that this workflow started, found {given.child_workflow_id!r}"
        )
    await _send(target, given.signal, given.args, given.headers)


def targets_of(instance: Instance) -> dict[str, Target]:
    """Where messages for the run's children go, by workflow ID."""
    found: dict[str, Target] = instance.memory.setdefault("children", {})
    return found


async def _send(
    target: Target, name: str, arguments: Sequence[Any], headers: Mapping[str, Payload]
) -> None:
    instance = current()
    values = instance.values.of_workflow(instance.facts, target.workflow_id)
    request = SignalRequest(
        target=target, signal_name=name, args=values.encode(arguments), headers=headers
    )
    await begin_message(instance, request, values)
