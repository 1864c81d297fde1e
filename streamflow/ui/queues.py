"""Task queues: which there are, who serves them now, and how many workflows are open on each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import Response

from streamflow.api.enums.v1 import TaskQueueType
from streamflow.api.taskqueue.v1 import TaskQueue
from streamflow.api.workflowservice.v1 import DescribeTaskQueueRequest
from streamflow.model.queues import QueueEntry
from streamflow.service import RPCError
from streamflow.ui.chips import RUNNING, quoted
from streamflow.ui.site import Visit


@dataclass(frozen=True)
class Row:
    """A queue, with those who serve it: ``None`` where that cannot be asked."""

    entry: QueueEntry
    open: int
    address: str
    """Of its open workflows."""
    page: str
    processors: Sequence[str] | None
    workers: Sequence[str] | None

    @property
    def is_unserved(self) -> bool:
        """Whether what is started here waits for somebody to come."""
        served_by = self.processors if self.entry.kind == "workflow" else self.workers
        return served_by is not None and not served_by


async def page(visit: Visit) -> Response:
    entries = (await visit.client.transport.queues()).values()
    counted = await visit.client.count_workflows(f"{RUNNING} GROUP BY TaskQueue")
    open_on = {str(group.group_values[0]): group.count for group in counted.groups}
    rows = [
        Row(
            entry=entry,
            open=open_on.get(entry.name, 0),
            address=visit.link(
                "workflows", query=f"TaskQueue = {quoted(entry.name)} AND {RUNNING}"
            ),
            page=visit.link("queue", name=entry.name),
            processors=await _serving(visit, entry, TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW),
            workers=await _serving(visit, entry, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY),
        )
        for entry in sorted(entries, key=lambda entry: entry.name)
    ]
    return visit.page("queues.html", rows=rows)


async def _serving(visit: Visit, entry: QueueEntry, kind: TaskQueueType) -> Sequence[str] | None:
    request = DescribeTaskQueueRequest(task_queue=TaskQueue(name=entry.name), task_queue_type=kind)
    try:
        found = await visit.client.workflow_service.describe_task_queue(request)
    except RPCError:
        return None  # through a gateway: it has no answer to this
    return [poller.identity for poller in found.pollers]
