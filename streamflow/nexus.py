"""Nexus has no counterpart on Kafka: every name of the model's module says so, and what to use instead.

A workflow of another team is started on that team's task queue, as a child or by a client; another service is reached by
publishing to a topic that it reads.
"""

from __future__ import annotations

from typing import NoReturn

from streamflow.absent import refuse_nexus

__all__: list[str] = []

_NAMES = frozenset(
    {
        "CancelUpdateWorkflowOptions",
        "CancelWorkflowRunOptions",
        "Info",
        "LoggerAdapter",
        "NexusCallback",
        "TemporalCancelOperationContext",
        "TemporalNexusClient",
        "TemporalOperationHandler",
        "TemporalOperationResult",
        "TemporalOperationStartHandlerFunc",
        "TemporalStartOperationContext",
        "WorkflowHandle",
        "WorkflowRunOperationContext",
        "client",
        "in_operation",
        "info",
        "is_worker_shutdown",
        "logger",
        "metric_meter",
        "temporal_operation",
        "wait_for_worker_shutdown",
        "wait_for_worker_shutdown_sync",
        "workflow_run_operation",
    }
)


def __getattr__(name: str) -> NoReturn:
    if name in _NAMES:
        refuse_nexus(f"nexus.{name}")
    raise AttributeError(f"module 'streamflow.nexus' has no attribute {name!r}")
