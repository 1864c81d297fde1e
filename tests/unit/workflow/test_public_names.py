"""Every name of the API is there, and each has one home."""

from __future__ import annotations

import asyncio
import datetime

from streamflow import workflow

NAMES = [
    "defn",
    "init",
    "run",
    "dynamic_config",
    "signal",
    "query",
    "update",
    "start_activity",
    "execute_activity",
    "start_activity_class",
    "execute_activity_class",
    "start_activity_method",
    "execute_activity_method",
    "start_local_activity",
    "execute_local_activity",
    "start_local_activity_class",
    "execute_local_activity_class",
    "start_local_activity_method",
    "execute_local_activity_method",
    "ActivityConfig",
    "LocalActivityConfig",
    "ChildWorkflowConfig",
    "ChildWorkflowHandle",
    "ExternalWorkflowHandle",
    "ActivityCancellationType",
    "ActivityHandle",
    "start_child_workflow",
    "execute_child_workflow",
    "ChildWorkflowCancellationType",
    "ParentClosePolicy",
    "get_external_workflow_handle",
    "get_external_workflow_handle_for",
    "signal_with_start_workflow",
    "continue_as_new",
    "ContinueAsNewError",
    "ContinueAsNewVersioningBehavior",
    "sleep",
    "wait_condition",
    "now",
    "time",
    "time_ns",
    "random",
    "random_seed",
    "new_random",
    "register_random_seed_callback",
    "uuid4",
    "uuid7",
    "as_completed",
    "wait",
    "info",
    "Info",
    "ParentInfo",
    "RootInfo",
    "SandboxImportNotificationPolicy",
    "instance",
    "in_workflow",
    "current_update_info",
    "UpdateInfo",
    "cancellation_reason",
    "is_failure_exception",
    "extern_functions",
    "memo",
    "memo_value",
    "upsert_memo",
    "upsert_search_attributes",
    "get_current_details",
    "set_current_details",
    "has_last_completion_result",
    "get_last_completion_result",
    "get_last_failure",
    "metric_meter",
    "payload_converter",
    "logger",
    "LoggerAdapter",
    "patched",
    "deprecate_patch",
    "get_signal_handler",
    "set_signal_handler",
    "get_dynamic_signal_handler",
    "set_dynamic_signal_handler",
    "get_query_handler",
    "set_query_handler",
    "get_dynamic_query_handler",
    "set_dynamic_query_handler",
    "get_update_handler",
    "set_update_handler",
    "get_dynamic_update_handler",
    "set_dynamic_update_handler",
    "all_handlers_finished",
    "HandlerUnfinishedPolicy",
    "UnfinishedSignalHandlersWarning",
    "UnfinishedUpdateHandlersWarning",
    "NondeterminismError",
    "ReadOnlyContextError",
    "VersioningIntent",
    "unsafe",
    "create_nexus_client",
    "NexusClient",
    "NexusOperationCancellationType",
    "NexusOperationHandle",
    "DynamicWorkflowConfig",
    "UpdateMethodMultiParam",
]

UNSAFE = [
    "in_sandbox",
    "is_replaying",
    "is_replaying_history_events",
    "is_read_only",
    "is_sandbox_unrestricted",
    "sandbox_unrestricted",
    "is_imports_passed_through",
    "imports_passed_through",
    "sandbox_import_notification_policy",
    "current_import_notification_policy_override",
    "SandboxImportNotificationPolicy",
]


def test_every_name_of_the_api_is_there() -> None:
    assert [name for name in NAMES if not hasattr(workflow, name)] == []
    assert sorted(NAMES) == sorted(workflow.__all__)
    assert [name for name in UNSAFE if not hasattr(workflow.unsafe, name)] == []


def test_what_concerns_imports_is_accepted() -> None:
    policy = workflow.SandboxImportNotificationPolicy.SILENT
    with (
        workflow.unsafe.imports_passed_through(),
        workflow.unsafe.sandbox_import_notification_policy(policy),
    ):
        import json

        assert workflow.unsafe.is_imports_passed_through()
        assert workflow.unsafe.current_import_notification_policy_override() is policy
    assert json.dumps(1) == "1"
    assert not workflow.unsafe.is_imports_passed_through()
    assert not workflow.unsafe.in_sandbox()
    assert workflow.unsafe.current_import_notification_policy_override() is None


def test_names_that_workflow_code_takes_from_the_module() -> None:
    """Ported code says ``workflow.timedelta(minutes=1)`` where it did not import that itself."""
    assert workflow.timedelta is datetime.timedelta
    assert workflow.datetime is datetime.datetime
    assert workflow.timezone is datetime.timezone
    assert workflow.asyncio is asyncio
