"""Says of a step that failed what handlers of ported code listen for. Hosts read the event `run_stuck`, which is a warning."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from streamflow.engine.state import Run

_log = logging.getLogger("streamflow.worker._workflow_instance")


def tell_of_failed_step(run: Run, namespace: str, queue: str, error: BaseException) -> None:
    """With the error's traceback, and the run under ``temporal_workflow``."""
    details = {
        "attempt": run.start.attempt,
        "namespace": namespace,
        "run_id": run.run_id,
        "task_queue": queue,
        "workflow_id": run.workflow_id,
        "workflow_type": run.start.workflow_type,
    }
    _log.warning(
        "Failed activation on workflow %s with ID %s and run ID %s",
        run.start.workflow_type,
        run.workflow_id,
        run.run_id,
        exc_info=error,
        extra={
            "temporal_workflow": details,
            "__temporal_error_identifier": "WorkflowTaskFailure",
        },
    )
