"""Workers: what runs a queue's workflows and activities in the user's own process.

    Worker ── processor (workflows)      streamflow.processor, driven by the log
         └── poller (activities)         tasks of the queue --> executor (event loop and threads) --> reports

`worker` is the public class, `service` its parts and their order, `poller` takes tasks and commits which are done (`window`),
`executor` runs them, `local` runs those of the processor, `sending` and `replies` speak with the tasks' owners.
"""

from __future__ import annotations

from streamflow.worker.interceptor import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    ExecuteNexusOperationCancelInput,
    ExecuteNexusOperationStartInput,
    Interceptor,
    NexusOperationInboundInterceptor,
    WorkflowInterceptorClassInput,
)
from streamflow.worker.patching import PatchActivationInput
from streamflow.worker.runners import (
    UnsandboxedWorkflowRunner,
    WorkflowInstance,
    WorkflowInstanceDetails,
    WorkflowRunner,
)
from streamflow.worker.setup import WorkerClient
from streamflow.worker.shared_state import SharedHeartbeatSender, SharedStateManager
from streamflow.worker.versions import WorkerDeploymentConfig
from streamflow.worker.worker import Worker, WorkerConfig
from streamflow.workflow.inputs import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    HandleQueryInput,
    HandleSignalInput,
    HandleUpdateInput,
    SignalChildWorkflowInput,
    SignalExternalWorkflowInput,
    StartActivityInput,
    StartChildWorkflowInput,
    StartLocalActivityInput,
    StartNexusOperationInput,
)
from streamflow.workflow.interceptor import (
    WorkflowInboundInterceptor,
    WorkflowOutboundInterceptor,
)

__all__ = [
    "ActivityInboundInterceptor",
    "ActivityOutboundInterceptor",
    "ContinueAsNewInput",
    "ExecuteActivityInput",
    "ExecuteNexusOperationCancelInput",
    "ExecuteNexusOperationStartInput",
    "ExecuteWorkflowInput",
    "HandleQueryInput",
    "HandleSignalInput",
    "HandleUpdateInput",
    "Interceptor",
    "NexusOperationInboundInterceptor",
    "PatchActivationInput",
    "SharedHeartbeatSender",
    "SharedStateManager",
    "SignalChildWorkflowInput",
    "SignalExternalWorkflowInput",
    "StartActivityInput",
    "StartChildWorkflowInput",
    "StartLocalActivityInput",
    "StartNexusOperationInput",
    "UnsandboxedWorkflowRunner",
    "Worker",
    "WorkerClient",
    "WorkerConfig",
    "WorkerDeploymentConfig",
    "WorkflowInboundInterceptor",
    "WorkflowInstance",
    "WorkflowInstanceDetails",
    "WorkflowInterceptorClassInput",
    "WorkflowOutboundInterceptor",
    "WorkflowRunner",
]
