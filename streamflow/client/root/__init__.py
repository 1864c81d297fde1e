"""Behind the last interceptor: each call becomes a command, and its answer what the caller is given.

One module for each group of calls; `calls` is what they share. The groups are put together here.
"""

from __future__ import annotations

from streamflow.client.root.activities import ActivityCalls
from streamflow.client.root.async_activities import AsyncActivityCalls
from streamflow.client.root.elsewhere import ElsewhereCalls
from streamflow.client.root.schedules import ScheduleCalls
from streamflow.client.root.starting import StartCalls
from streamflow.client.root.updates import UpdateCalls
from streamflow.client.root.visibility import VisibilityCalls
from streamflow.client.root.workflows import WorkflowCalls

__all__ = ["Root"]


class Root(
    StartCalls,
    WorkflowCalls,
    UpdateCalls,
    VisibilityCalls,
    ActivityCalls,
    AsyncActivityCalls,
    ScheduleCalls,
    ElsewhereCalls,
):
    """The innermost `OutboundInterceptor` of a client: it does the work."""
