"""What workflow code uses: to declare workflows, and while one runs.

    @workflow.defn
    class Order:
        @workflow.run
        async def run(self, order_id: str) -> str:
            return await workflow.execute_activity(
                charge, order_id, start_to_close_timeout=timedelta(minutes=1)
            )

Workflow code is ordinary async Python that does the same each time it runs on the same history: it takes time and chance
from here, and leaves the world to activities. asyncio works as usual (gather, TaskGroup, timeout, Queue, Lock, ...).

`definitions` has the decorators, `activities` and `waiting` what is awaited, `clock` time and chance, `info` and `running`
what a run knows of itself, `continuation` the next run, `unsafe` and `log_adapter` what their names say, `coming` what
is not supported yet. How it is run is `streamflow.coroutine`'s.
"""

from __future__ import annotations

# Also names of this module, by which workflow code reaches them: `workflow.timedelta(minutes=1)`, `workflow.asyncio.gather(...)`.
import asyncio as asyncio
from datetime import datetime as datetime
from datetime import timedelta as timedelta
from datetime import timezone as timezone

from streamflow.coroutine.definition import (
    HandlerUnfinishedPolicy,
    QueryDefinition,
    SignalDefinition,
    UpdateDefinition,
    WorkflowDefinition,
)
from streamflow.coroutine.errors import (
    ContinueAsNewError,
    NondeterminismError,
    NotInWorkflowError,
    ReadOnlyContextError,
)
from streamflow.coroutine.machines.activity import (
    ActivityHandle,
)
from streamflow.coroutine.unfinished import (
    UnfinishedSignalHandlersWarning,
    UnfinishedUpdateHandlersWarning,
)
from streamflow.workflow import unsafe
from streamflow.workflow.activities import (
    execute_activity,
    execute_activity_class,
    execute_activity_method,
    start_activity,
    start_activity_class,
    start_activity_method,
)
from streamflow.workflow.activity_options import (
    ActivityCancellationType,
    ActivityConfig,
    LocalActivityConfig,
    VersioningIntent,
)
from streamflow.workflow.changes import (
    deprecate_patch,
    patched,
    upsert_memo,
    upsert_search_attributes,
)
from streamflow.workflow.child_options import (
    ChildWorkflowCancellationType,
    ChildWorkflowConfig,
    ParentClosePolicy,
)
from streamflow.workflow.children import (
    ChildWorkflowHandle,
    execute_child_workflow,
    start_child_workflow,
)
from streamflow.workflow.clock import (
    new_random,
    now,
    random,
    random_seed,
    register_random_seed_callback,
    time,
    time_ns,
    uuid4,
    uuid7,
)
from streamflow.workflow.coming import (
    NexusClient,
    NexusOperationCancellationType,
    NexusOperationHandle,
    create_nexus_client,
)
from streamflow.workflow.continuation import (
    ContinueAsNewVersioningBehavior,
    continue_as_new,
)
from streamflow.workflow.definitions import (
    DynamicWorkflowConfig,
    UpdateMethodMultiParam,
    defn,
    dynamic_config,
    init,
    query,
    run,
    signal,
    update,
)
from streamflow.workflow.external import (
    ExternalWorkflowHandle,
    get_external_workflow_handle,
    get_external_workflow_handle_for,
)
from streamflow.workflow.handlers import (
    all_handlers_finished,
    current_update_info,
    get_dynamic_query_handler,
    get_dynamic_signal_handler,
    get_dynamic_update_handler,
    get_query_handler,
    get_signal_handler,
    get_update_handler,
    set_dynamic_query_handler,
    set_dynamic_signal_handler,
    set_dynamic_update_handler,
    set_query_handler,
    set_signal_handler,
    set_update_handler,
)
from streamflow.workflow.info import (
    Info,
    ParentInfo,
    RootInfo,
    UpdateInfo,
    info,
)
from streamflow.workflow.last_run import (
    get_last_completion_result,
    get_last_failure,
    has_last_completion_result,
)
from streamflow.workflow.local_activities import (
    execute_local_activity,
    execute_local_activity_class,
    execute_local_activity_method,
    start_local_activity,
    start_local_activity_class,
    start_local_activity_method,
)
from streamflow.workflow.log_adapter import (
    LoggerAdapter,
    logger,
)
from streamflow.workflow.metrics import metric_meter
from streamflow.workflow.running import (
    cancellation_reason,
    extern_functions,
    get_current_details,
    in_workflow,
    instance,
    is_failure_exception,
    memo,
    memo_value,
    payload_converter,
    set_current_details,
)
from streamflow.workflow.signal_with_start import (
    signal_with_start_workflow,
)
from streamflow.workflow.unsafe import SandboxImportNotificationPolicy
from streamflow.workflow.waiting import (
    as_completed,
    sleep,
    wait,
    wait_condition,
)

# Where ported code looks for them.
_Definition = WorkflowDefinition
_SignalDefinition = SignalDefinition
_QueryDefinition = QueryDefinition
_UpdateDefinition = UpdateDefinition
_NotInWorkflowEventLoopError = NotInWorkflowError

__all__ = [
    "ActivityCancellationType",
    "ActivityConfig",
    "ActivityHandle",
    "ChildWorkflowCancellationType",
    "ChildWorkflowConfig",
    "ChildWorkflowHandle",
    "ContinueAsNewError",
    "ContinueAsNewVersioningBehavior",
    "DynamicWorkflowConfig",
    "ExternalWorkflowHandle",
    "HandlerUnfinishedPolicy",
    "Info",
    "LocalActivityConfig",
    "LoggerAdapter",
    "NexusClient",
    "NexusOperationCancellationType",
    "NexusOperationHandle",
    "NondeterminismError",
    "ParentClosePolicy",
    "ParentInfo",
    "ReadOnlyContextError",
    "RootInfo",
    "SandboxImportNotificationPolicy",
    "UnfinishedSignalHandlersWarning",
    "UnfinishedUpdateHandlersWarning",
    "UpdateInfo",
    "UpdateMethodMultiParam",
    "VersioningIntent",
    "all_handlers_finished",
    "as_completed",
    "cancellation_reason",
    "continue_as_new",
    "create_nexus_client",
    "current_update_info",
    "defn",
    "deprecate_patch",
    "dynamic_config",
    "execute_activity",
    "execute_activity_class",
    "execute_activity_method",
    "execute_child_workflow",
    "execute_local_activity",
    "execute_local_activity_class",
    "execute_local_activity_method",
    "extern_functions",
    "get_current_details",
    "get_dynamic_query_handler",
    "get_dynamic_signal_handler",
    "get_dynamic_update_handler",
    "get_external_workflow_handle",
    "get_external_workflow_handle_for",
    "get_last_completion_result",
    "get_last_failure",
    "get_query_handler",
    "get_signal_handler",
    "get_update_handler",
    "has_last_completion_result",
    "in_workflow",
    "info",
    "init",
    "instance",
    "is_failure_exception",
    "logger",
    "memo",
    "memo_value",
    "metric_meter",
    "new_random",
    "now",
    "patched",
    "payload_converter",
    "query",
    "random",
    "random_seed",
    "register_random_seed_callback",
    "run",
    "set_current_details",
    "set_dynamic_query_handler",
    "set_dynamic_signal_handler",
    "set_dynamic_update_handler",
    "set_query_handler",
    "set_signal_handler",
    "set_update_handler",
    "signal",
    "signal_with_start_workflow",
    "sleep",
    "start_activity",
    "start_activity_class",
    "start_activity_method",
    "start_child_workflow",
    "start_local_activity",
    "start_local_activity_class",
    "start_local_activity_method",
    "time",
    "time_ns",
    "unsafe",
    "update",
    "upsert_memo",
    "upsert_search_attributes",
    "uuid4",
    "uuid7",
    "wait",
    "wait_condition",
]
