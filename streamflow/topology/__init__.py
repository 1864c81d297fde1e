"""Topics: their names, where a workflow lives in them, what they should be, and who made them.

The declarations are in the top-level folder ``topology/``.
"""

from streamflow.topology.declarations import Declarations, Queue, declare
from streamflow.topology.deleting import (
    Deletion,
    NamespaceInUse,
    NamespaceMissing,
    delete_namespace,
    plan_deletion,
)
from streamflow.topology.directory import (
    QueueMismatch,
    QueueMissing,
    apply_command,
    read_queues,
    write_queues,
)
from streamflow.topology.ensuring import ensure_queue
from streamflow.topology.names import (
    activities_topic,
    activity_group,
    audit_topic,
    check_namespace,
    dead_letters_topic,
    encode_queue,
    executions_topic,
    history_topic,
    inbox_topic,
    processes_topic,
    processor_group,
    queues_topic,
    replies_topic,
)
from streamflow.topology.namespaces import (
    NamespaceChange,
    NamespaceFacts,
    NamespaceSummary,
    change_namespace,
    describe_namespace,
    make_namespace,
    names_of_namespaces,
    summary_of,
)
from streamflow.topology.placement import partition_for, partition_of_key
from streamflow.topology.planning import Plan, PlanRefused, apply, plan
from streamflow.topology.presence import is_there
from streamflow.topology.processes import fresh_reports, restore_of, standbys_of
from streamflow.topology.safety import (
    REPLICAS_SAFE,
    Fault,
    UnsafeSettings,
    broker_faults,
    refuse_unsafe,
    topic_faults,
)
from streamflow.topology.serving import Share, shares
from streamflow.topology.settings import (
    Settings,
    SettingsReader,
    delete_search_attributes,
    read_settings,
    settings_topic,
    write_namespace,
    write_search_attributes,
)

__all__ = [
    "REPLICAS_SAFE",
    "Declarations",
    "Deletion",
    "Fault",
    "NamespaceChange",
    "NamespaceFacts",
    "NamespaceInUse",
    "NamespaceMissing",
    "NamespaceSummary",
    "Plan",
    "PlanRefused",
    "Queue",
    "QueueMismatch",
    "QueueMissing",
    "Settings",
    "SettingsReader",
    "Share",
    "UnsafeSettings",
    "activities_topic",
    "activity_group",
    "apply",
    "apply_command",
    "audit_topic",
    "broker_faults",
    "change_namespace",
    "check_namespace",
    "dead_letters_topic",
    "declare",
    "delete_namespace",
    "delete_search_attributes",
    "describe_namespace",
    "encode_queue",
    "ensure_queue",
    "executions_topic",
    "fresh_reports",
    "history_topic",
    "inbox_topic",
    "is_there",
    "make_namespace",
    "names_of_namespaces",
    "partition_for",
    "partition_of_key",
    "plan",
    "plan_deletion",
    "processes_topic",
    "processor_group",
    "queues_topic",
    "read_queues",
    "read_settings",
    "refuse_unsafe",
    "replies_topic",
    "restore_of",
    "settings_topic",
    "shares",
    "standbys_of",
    "summary_of",
    "topic_faults",
    "write_namespace",
    "write_queues",
    "write_search_attributes",
]
