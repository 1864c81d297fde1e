"""What a Worker may be told that this release does not do yet: accepted at its default, else refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

NOT_YET: Mapping[str, Any] = {
    "nexus_service_handlers": (),
    "workflow_task_executor": None,
    "nexus_task_executor": None,
    "plugins": (),
    "max_concurrent_workflow_tasks": None,
    "max_concurrent_nexus_tasks": None,
    "tuner": None,
    "max_concurrent_workflow_task_polls": None,
    "nonsticky_to_sticky_poll_ratio": 0.2,
    "max_concurrent_activity_task_polls": None,
    "sticky_queue_schedule_to_start_timeout": timedelta(seconds=10),
    "use_worker_versioning": False,
    "disable_safe_workflow_eviction": False,
    "workflow_task_poller_behavior": None,
    "activity_task_poller_behavior": None,
    "nexus_task_poller_behavior": None,
    "disable_payload_error_limit": False,
    "max_workflow_task_external_storage_concurrency": None,
    "processes": 1,
}
"""Options of ported code, with the value that says nothing."""


def refuse_unsupported(options: Mapping[str, Any]) -> None:
    """Raises TypeError for options that nobody knows, NotImplementedError for those that are not there yet."""
    for name, value in options.items():
        if name not in NOT_YET:
            raise TypeError(f"Worker() got an unexpected keyword argument {name!r}")
        nothing = NOT_YET[name]
        if value != nothing and not (nothing == () and value == []):
            raise NotImplementedError(
                f"Worker({name}=...) is not in this release of streamflow; leave it out (its default is {nothing!r})"
            )
