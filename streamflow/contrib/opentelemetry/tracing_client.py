"""Spans around a client's calls."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from opentelemetry.trace import SpanKind
from opentelemetry.util.types import Attributes

from streamflow.client import (
    OutboundInterceptor,
    QueryWorkflowInput,
    SignalWorkflowInput,
    StartActivityInput,
    StartWorkflowInput,
    StartWorkflowUpdateInput,
    StartWorkflowUpdateWithStartInput,
)
from streamflow.contrib.opentelemetry.carrying import Carrying

Spanned = Callable[[str, SpanKind, Attributes], AbstractContextManager[Any]]
"""Makes the current span of a block: its name, kind and attributes."""


class TracingClient(OutboundInterceptor):
    """A span for each start, signal, query and update; its context goes with the call."""

    def __init__(self, next: OutboundInterceptor, carrying: Carrying, spanned: Spanned) -> None:
        super().__init__(next)
        self._carrying = carrying
        self._spanned = spanned

    def _span(self, name: str, **attributes: str) -> AbstractContextManager[Any]:
        return self._spanned(name, SpanKind.CLIENT, attributes)

    async def start_workflow(self, input: StartWorkflowInput) -> Any:
        what = "SignalWithStartWorkflow" if input.start_signal else "StartWorkflow"
        with self._span(f"{what}:{input.workflow}", temporalWorkflowID=input.id):
            input.headers = self._carrying.with_current(input.headers)
            return await super().start_workflow(input)

    async def query_workflow(self, input: QueryWorkflowInput) -> Any:
        with self._span(f"QueryWorkflow:{input.query}", temporalWorkflowID=input.id):
            input.headers = self._carrying.with_current(input.headers)
            return await super().query_workflow(input)

    async def signal_workflow(self, input: SignalWorkflowInput) -> None:
        with self._span(f"SignalWorkflow:{input.signal}", temporalWorkflowID=input.id):
            input.headers = self._carrying.with_current(input.headers)
            await super().signal_workflow(input)

    async def start_workflow_update(self, input: StartWorkflowUpdateInput) -> Any:
        with self._span(f"StartWorkflowUpdate:{input.update}", temporalWorkflowID=input.id):
            input.headers = self._carrying.with_current(input.headers)
            return await super().start_workflow_update(input)

    async def start_update_with_start_workflow(
        self, input: StartWorkflowUpdateWithStartInput
    ) -> Any:
        start, update = input.start_workflow_input, input.update_workflow_input
        attributes = {"temporalWorkflowID": start.id}
        if update.update_id is not None:
            attributes["temporalUpdateID"] = update.update_id
        with self._span(f"StartUpdateWithStartWorkflow:{start.workflow}", **attributes):
            start.headers = self._carrying.with_current(start.headers)
            update.headers = self._carrying.with_current(update.headers)
            return await super().start_update_with_start_workflow(input)

    async def start_activity(self, input: StartActivityInput) -> Any:
        attributes = {
            "temporalActivityID": input.id,
            "temporalActivityType": input.activity_type,
        }
        with self._span(f"StartActivity:{input.activity_type}", **attributes):
            input.headers = self._carrying.with_current(input.headers)
            return await super().start_activity(input)
