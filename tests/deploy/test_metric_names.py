"""Alerts and dashboard name metrics that there are, with labels that those have."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import timedelta

import pytest

from streamflow import activity, workflow
from streamflow.cli.shared.health import serve_health
from streamflow.client import WorkflowFailureError
from streamflow.exceptions import ApplicationError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker
from tests.deploy.generated import CHART

SOON = timedelta(seconds=10)
GATEWAY = {"streamflow_gateway_requests_total", "streamflow_gateway_request_latency_seconds_bucket"}
"""Of another process; tests/unit/gateway has them."""
RELABELED = {"streamflow_namespace": "namespace"}
GIVEN = {"pod", "le"}
"""Labels that Prometheus adds, and that histograms have."""


@activity.defn
async def work(outcome: str) -> None:
    if outcome == "fail":
        raise ApplicationError("no", non_retryable=True)
    if outcome == "hang":
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.1)


@workflow.defn
class Does:
    @workflow.run
    async def run(self, outcome: str) -> None:
        if outcome == "again":
            workflow.continue_as_new("done")
        await workflow.execute_activity(
            work,
            outcome,
            start_to_close_timeout=timedelta(hours=1),
            heartbeat_timeout=SOON,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


async def _metrics() -> str:
    """The text that a worker serves when workflows and activities have ended in every way."""
    runtime, _ = serve_health("127.0.0.1:0")
    async with (
        await WorkflowEnvironment.start_time_skipping(runtime=runtime) as environment,
        Worker(environment.client, task_queue="q", workflows=[Does], activities=[work]),
    ):
        client = environment.client
        for outcome in ("done", "again"):
            await client.execute_workflow(Does.run, outcome, id=outcome, task_queue="q")
        with pytest.raises(WorkflowFailureError):
            await client.execute_workflow(Does.run, "fail", id="fail", task_queue="q")
        hanging = await client.start_workflow(Does.run, "hang", id="hang", task_queue="q")
        await environment.sleep(timedelta(seconds=1))
        await hanging.cancel()
        with pytest.raises(WorkflowFailureError):
            await hanging.result()
        with pytest.raises(Exception, match="not"):
            await client.get_workflow_handle("nobody").describe()
    return runtime.prometheus_text()


def _alerts() -> list[str]:
    """Of the file as it is: its templates stand for one label, or for a queue's name."""
    text = (CHART / "files" / "alerts.yaml").read_text()
    found = re.findall(r"^  expr: (?:\|\n((?:    .*\n)+)|(.*)\n)", text, re.MULTILINE)
    return [block or line for block, line in found]


def _panels() -> list[str]:
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    panels = [
        target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())
    ]
    return panels + [one["query"]["query"] for one in dashboard["templating"]["list"][1:]]


def _used(expression: str) -> tuple[set[str], set[str]]:
    """Metrics, and labels, of an expression."""
    expression = re.sub(r"\{\{-?.*?-?\}\}", "", expression)
    names = set(re.findall(r"\b(streamflow_\w+)", expression)) - RELABELED.keys()
    labels = set(re.findall(r"(\w+)=~?[\"$]", expression))
    for grouping in re.findall(r"\bby \(([^)]*)\)", expression):
        labels |= {label.strip() for label in grouping.split(",")}
    return names, labels


@pytest.mark.asyncio
async def test_alerts_and_dashboard_use_what_a_worker_serves() -> None:
    lines = [line for line in (await _metrics()).splitlines() if not line.startswith("#")]
    served = {re.split(r"[{ ]", line)[0] for line in lines}
    labels = {
        name: {label for line in lines if line.startswith(f"{name}{{") for label in re.findall(r"(\w+)=\"", line)}
        for name in served
    }  # fmt: skip

    expressions = [*_alerts(), *_panels()]

    assert len(_alerts()) >= 7
    assert len(_panels()) > 20
    for expression in expressions:
        names, wanted = _used(expression)
        assert names, expression
        assert names <= served | GATEWAY, names - served
        for name in names - GATEWAY:
            unknown = {RELABELED.get(label, label) for label in wanted} - labels[name] - GIVEN
            assert not unknown, f"{name} has {labels[name]}, not {unknown}: {expression}"
        assert expression.count("(") == expression.count(")"), expression
