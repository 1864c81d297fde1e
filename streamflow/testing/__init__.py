"""Tools to test workflows and activities with: in this process, with time that skips ahead, or against a real Kafka.

    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with Worker(env.client, task_queue="q", workflows=[Sleeper]):
            await env.client.execute_workflow(Sleeper.run, id="s", task_queue="q")   # 30 days in milliseconds

`environment` runs workflows, `activity_environment` runs one activity; `kafka` starts a broker for a test run. The two
environments are loaded when they are asked for, so that the broker alone does not load the engine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamflow.testing.activity_environment import ActivityEnvironment
    from streamflow.testing.environment import WorkflowEnvironment

__all__ = ["ActivityEnvironment", "WorkflowEnvironment"]


def __getattr__(name: str) -> Any:
    if name == "ActivityEnvironment":
        from streamflow.testing.activity_environment import ActivityEnvironment

        return ActivityEnvironment
    if name == "WorkflowEnvironment":
        from streamflow.testing.environment import WorkflowEnvironment

        return WorkflowEnvironment
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
