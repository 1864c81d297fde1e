"""Failed assertions of workflow code fail the workflow under test, rather than leave it waiting for mended code."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import streamflow.client
import streamflow.worker
from streamflow.exceptions import ApplicationError
from streamflow.worker import (
    ExecuteWorkflowInput,
    HandleSignalInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)


class AssertionsFail(streamflow.client.Interceptor, streamflow.worker.Interceptor):
    """Every environment's clients have it, and with them their Workers."""

    def workflow_interceptor_class(
        self, input: WorkflowInterceptorClassInput
    ) -> type[WorkflowInboundInterceptor] | None:
        return _Inbound


class _Inbound(WorkflowInboundInterceptor):
    async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
        with _as_failures():
            return await super().execute_workflow(input)

    async def handle_signal(self, input: HandleSignalInput) -> None:
        with _as_failures():
            await super().handle_signal(input)


@contextmanager
def _as_failures() -> Generator[None]:
    try:
        yield
    except AssertionError as error:
        failure = ApplicationError(str(error), type="AssertionError", non_retryable=True)
        failure.__traceback__ = error.__traceback__
        raise failure from None
