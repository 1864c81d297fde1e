"""The user's way to workflows: start them, await them, signal and query them, look at them.

`client` and `handle` are the API; what their calls do is in a module for each group: `starting`, `messaging`, `ending`,
`reading`. `start`, `values` and `naming` turn what users write into commands, `errors`, `execution` and `history` what
comes back into what users read. `address` is where a workflow's commands go; `transport` how they travel:
`log_transport` (with `requests` and `locate`) over a log, `http_transport` over a gateway.
"""

from __future__ import annotations

from streamflow.client.client import Client, ClientConfig
from streamflow.client.errors import (
    NotYetError,
    RPCTimeoutOrCancelledError,
    WorkflowContinuedAsNewError,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
)
from streamflow.client.execution import (
    PendingActivity,
    WorkflowExecution,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
)
from streamflow.client.handle import WorkflowHandle
from streamflow.client.history import WorkflowHistory, WorkflowHistoryEventFilterType
from streamflow.client.history_file import HistoryFileError
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.service import RPCError, RPCStatusCode

__all__ = [
    "Client",
    "ClientConfig",
    "HistoryFileError",
    "NotYetError",
    "PendingActivity",
    "RPCError",
    "RPCStatusCode",
    "RPCTimeoutOrCancelledError",
    "WorkflowAlreadyStartedError",
    "WorkflowContinuedAsNewError",
    "WorkflowExecution",
    "WorkflowExecutionDescription",
    "WorkflowExecutionStatus",
    "WorkflowFailureError",
    "WorkflowHandle",
    "WorkflowHistory",
    "WorkflowHistoryEventFilterType",
    "WorkflowQueryFailedError",
    "WorkflowQueryRejectedError",
]
