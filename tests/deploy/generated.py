"""Files of the chart that say what the code says: the topics that Strimzi makes, and the Grafana dashboard.

``python -m tests.deploy.generated`` writes them; a test says when that is due.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from streamflow import topology

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "streamflow"


def topics() -> str:
    """``files/topics.yaml``: the topics of a namespace, and of a queue of either kind; JSON, which is YAML too."""
    declared = {
        "namespace": topology.declare("n", [], replication_factor=3).topics,
        "workflow": topology.declare("n", [_queue("workflow")], replication_factor=3).topics,
        "activity": topology.declare("n", [_queue("activity")], replication_factor=3).topics,
    }
    per_queue = {kind: declared[kind][len(declared["namespace"]) :] for kind in declared}
    per_queue["namespace"] = declared["namespace"]
    found = {
        kind: [
            {"name": spec.name.rpartition(".")[2], "partitions": spec.partitions, "config": _sorted(spec.config)}
            for spec in specs
        ]
        for kind, specs in per_queue.items()
    }  # fmt: skip
    return f"# Made by `python -m tests.deploy.generated` from topology/topics.toml.\n{json.dumps(found, indent=2)}\n"


def _queue(kind: Any) -> topology.Queue:
    return topology.Queue(name="q", partitions=1, kind=kind)


def _sorted(config: Any) -> dict[str, str]:
    return dict(sorted(config.items()))


# -- the dashboard ------------------------------------------------------------------------------------------------

_OF = 'streamflow_namespace=~"$namespace"'
_QUEUE = f'{_OF},task_queue=~"$queue"'
_BY_QUEUE = "by (task_queue)"

ROWS: dict[str, list[tuple[str, str, dict[str, str]]]] = {
    "Work": [
        (
            "Workflows that ended, per second",
            "short",
            {
                how: f"sum(rate(streamflow_workflow_{how}_total{{{_QUEUE}}}[$__rate_interval]))"
                for how in ("completed", "failed", "canceled", "continue_as_new")
            },
        ),
        (
            "From start to end",
            "s",
            {
                f"p{share}": f"histogram_quantile(0.{share}, sum by (le) "
                f"(rate(streamflow_workflow_endtoend_latency_seconds_bucket{{{_QUEUE}}}[$__rate_interval])))"
                for share in ("50", "95", "99")
            },
        ),
        (
            "Activities: attempts per second",
            "short",
            {
                "all": f"sum(rate(streamflow_activity_execution_latency_seconds_count{{{_QUEUE}}}[$__rate_interval]))",
                "failed": f"sum(rate(streamflow_activity_execution_failed_total{{{_QUEUE}}}[$__rate_interval]))",
                "cancelled": f"sum(rate(streamflow_activity_execution_cancelled_total{{{_QUEUE}}}[$__rate_interval]))",
            },
        ),
        (
            "Activities: time of an attempt, p95",
            "s",
            {
                "{{activity_type}}": "histogram_quantile(0.95, sum by (le, activity_type) "
                f"(rate(streamflow_activity_execution_latency_seconds_bucket{{{_QUEUE}}}[$__rate_interval])))"
            },
        ),
        (
            "Time of one step's code, p95",
            "s",
            {
                "{{workflow_type}}": "histogram_quantile(0.95, sum by (le, workflow_type) "
                f"(rate(streamflow_workflow_task_execution_latency_seconds_bucket{{{_QUEUE}}}[$__rate_interval])))"
            },
        ),
    ],
    "Processors": [
        (
            "Partitions that are served",
            "short",
            {"{{task_queue}}": f"sum {_BY_QUEUE} (streamflow_partitions_active{{{_QUEUE}}})"},
        ),
        (
            "Partitions that are being restored, by pod",
            "short",
            {
                "{{pod}} {{task_queue}}": "sum by (pod, task_queue) "
                f"(streamflow_partitions{{{_QUEUE}}} - streamflow_partitions_active{{{_QUEUE}}})"
            },
        ),
        (
            "Transactions per second",
            "short",
            {
                "{{task_queue}}": f"sum {_BY_QUEUE} (rate(streamflow_transactions_total{{{_QUEUE}}}[$__rate_interval]))"
            },
        ),
        (
            "Transactions that failed",
            "short",
            {
                "aborted": f"sum(increase(streamflow_transactions_aborted_total{{{_QUEUE}}}[$__rate_interval]))",
                "outcome unknown": f"sum(increase(streamflow_transactions_unknown_total{{{_QUEUE}}}[$__rate_interval]))",
                "fenced": f"sum(increase(streamflow_fenced_total{{{_QUEUE}}}[$__rate_interval]))",
            },
        ),
    ],
    "Trouble": [
        (
            "Runs and records",
            "short",
            {
                what.replace("_", " "): f"sum(increase(streamflow_{what}_total{{{_QUEUE}}}[$__rate_interval]))"
                for what in ("stuck_steps", "quarantined", "dead_letters", "misplaced_records")
            },
        ),
        (
            "Loss and damage: always nothing",
            "short",
            {
                what.replace("_", " "): f"sum(increase(streamflow_{what}_total{{{_QUEUE}}}[$__rate_interval]))"
                for what in (
                    "torn_transactions", "history_gaps", "foreign_records", "expired_input_records", "passed_over_records",
                )
            },
        ),
        (
            "Calls of clients that failed, per second",
            "short",
            {
                "{{operation}} {{status_code}}": "sum by (operation, status_code) "
                f"(rate(streamflow_request_failure_total{{{_OF}}}[$__rate_interval]))"
            },
        ),
    ],
    "Gateway": [
        (
            "Requests per second",
            "short",
            {"{{status}}": "sum by (status) (rate(streamflow_gateway_requests_total[$__rate_interval]))"},
        ),
        (
            "Time of a request, p95",
            "s",
            {
                "{{route}}": "histogram_quantile(0.95, sum by (le, route) "
                "(rate(streamflow_gateway_request_latency_seconds_bucket[$__rate_interval])))"
            },
        ),
    ],
}  # fmt: skip
"""Panels by row: title, unit, and queries by legend."""


def dashboard() -> str:
    """``files/dashboard.json``."""
    panels: list[dict[str, Any]] = []
    y = 0
    for title, row in ROWS.items():
        panels.append(
            {"type": "row", "title": title, "id": len(panels) + 1, "gridPos": _place(0, y, 24, 1)}
        )
        y += 1
        for index, (name, unit, queries) in enumerate(row):
            place = _place(12 * (index % 2), y + 8 * (index // 2), 12, 8)
            panels.append(_panel(name, unit, queries, len(panels) + 1, place))
        y += 8 * -(-len(row) // 2)
    found = {
        "uid": "streamflow",
        "title": "streamflow",
        "tags": ["streamflow"],
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "templating": {
            "list": [
                {"name": "source", "type": "datasource", "query": "prometheus", "label": "Prometheus"},
                _variable("namespace", "label_values(streamflow_transactions_total, streamflow_namespace)"),
                _variable("queue", f"label_values(streamflow_transactions_total{{{_OF}}}, task_queue)"),
            ]
        },
        "panels": panels,
    }  # fmt: skip
    return f"{json.dumps(found, indent=1)}\n"


def _panel(
    title: str, unit: str, queries: dict[str, str], number: int, place: dict[str, int]
) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": title,
        "id": number,
        "gridPos": place,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "expr": expression, "legendFormat": legend}
            for index, (legend, expression) in enumerate(queries.items())
        ],
    }


def _variable(name: str, query: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": width, "h": height}


FILES = {"files/topics.yaml": topics, "files/dashboard.json": dashboard}

if __name__ == "__main__":
    for name, made in FILES.items():
        (CHART / name).write_text(made())
