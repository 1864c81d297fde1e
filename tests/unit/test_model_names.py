"""Every public name of the model that is needed is in its module; what has no counterpart says what to use instead."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from streamflow import nexus, workflow
from streamflow.client import (
    BuildIdOpAddNewDefault,
    Client,
    CloudOperationsClient,
    NexusClient,
    NoCounterpartError,
)

NAMES = {
    "activity": """
        ActivityCancellationDetails Info LoggerAdapter cancellation_details client defn heartbeat in_activity info
        is_cancelled is_worker_shutdown logger metric_meter payload_converter raise_complete_async
        shield_thread_cancel_exception wait_for_cancelled wait_for_cancelled_sync wait_for_worker_shutdown
        wait_for_worker_shutdown_sync""",
    "workflow": """
        ActivityCancellationType ActivityConfig ActivityHandle ChildWorkflowCancellationType ChildWorkflowConfig
        ChildWorkflowHandle ContinueAsNewError ContinueAsNewVersioningBehavior DynamicWorkflowConfig ExternalWorkflowHandle
        HandlerUnfinishedPolicy Info LocalActivityConfig LoggerAdapter NondeterminismError ParentClosePolicy ParentInfo
        ReadOnlyContextError RootInfo UnfinishedSignalHandlersWarning UnfinishedUpdateHandlersWarning UpdateInfo
        UpdateMethodMultiParam VersioningIntent all_handlers_finished as_completed cancellation_reason continue_as_new
        current_update_info defn deprecate_patch dynamic_config execute_activity execute_activity_class
        execute_activity_method execute_child_workflow execute_local_activity execute_local_activity_class
        execute_local_activity_method extern_functions get_current_details get_dynamic_query_handler
        get_dynamic_signal_handler get_dynamic_update_handler get_external_workflow_handle
        get_external_workflow_handle_for get_last_completion_result get_last_failure get_query_handler
        get_signal_handler get_update_handler has_last_completion_result in_workflow info init instance
        is_failure_exception logger memo memo_value metric_meter new_random now patched payload_converter query random
        random_seed register_random_seed_callback run set_current_details set_dynamic_query_handler
        set_dynamic_signal_handler set_dynamic_update_handler set_query_handler set_signal_handler set_update_handler
        signal sleep start_activity start_activity_class start_activity_method start_child_workflow
        start_local_activity start_local_activity_class start_local_activity_method time time_ns unsafe update
        upsert_memo upsert_search_attributes uuid4 uuid7 wait wait_condition""",
    "client": """
        ActivityFailureError NexusOperationFailureError ScheduleAlreadyRunningError
        AsyncActivityCancelledError AsyncActivityHandle AsyncActivityIDReference Client ClientConfig Interceptor
        OutboundInterceptor Plugin RPCError RPCStatusCode RPCTimeoutOrCancelledError ServiceClient TLSConfig
        WithStartWorkflowOperation WorkflowContinuedAsNewError WorkflowExecution WorkflowExecutionAsyncIterator
        WorkflowExecutionCount WorkflowExecutionCountAggregationGroup WorkflowExecutionDescription
        WorkflowExecutionStatus WorkflowFailureError WorkflowHandle WorkflowHistory WorkflowHistoryEventAsyncIterator
        WorkflowHistoryEventFilterType WorkflowQueryFailedError WorkflowQueryRejectedError WorkflowUpdateFailedError
        WorkflowUpdateHandle WorkflowUpdateRPCTimeoutOrCancelledError WorkflowUpdateStage""",
    "worker": """
        ActivityInboundInterceptor ActivityOutboundInterceptor ActivitySlotInfo ContinueAsNewInput CustomSlotSupplier
        ExecuteActivityInput ExecuteWorkflowInput FixedSizeSlotSupplier HandleQueryInput HandleSignalInput
        HandleUpdateInput Interceptor LocalActivitySlotInfo NexusSlotInfo PatchActivationInput Plugin PollerBehavior
        PollerBehaviorAutoscaling PollerBehaviorSimpleMaximum Replayer ReplayerConfig ResourceBasedSlotConfig
        ResourceBasedSlotSupplier ResourceBasedTunerConfig SharedHeartbeatSender SharedStateManager
        SignalChildWorkflowInput SignalExternalWorkflowInput SlotInfo SlotMarkUsedContext SlotPermit SlotReleaseContext
        SlotReserveContext SlotSupplier StartActivityInput StartChildWorkflowInput StartLocalActivityInput
        StartNexusOperationInput UnsandboxedWorkflowRunner Worker WorkerConfig WorkerDeploymentConfig
        WorkerDeploymentVersion WorkerTuner WorkflowInboundInterceptor WorkflowInstance WorkflowInstanceDetails
        WorkflowInterceptorClassInput WorkflowOutboundInterceptor WorkflowReplayResult WorkflowReplayResults
        WorkflowRunner WorkflowSlotInfo""",
    "worker.workflow_sandbox": """
        RestrictedWorkflowAccessError SandboxMatcher SandboxRestrictions SandboxedWorkflowRunner
        UnintentionalPassthroughError""",
    "common": """
        AutoUpgradeVersioningOverride HeaderCodecBehavior MetricAttributes MetricCommon MetricCounter MetricGauge
        MetricGaugeFloat MetricHistogram MetricHistogramFloat MetricHistogramTimedelta MetricMeter
        PinnedVersioningOverride Priority QueryRejectCondition RawValue RetryPolicy SearchAttributeIndexedValueType
        SearchAttributeKey SearchAttributePair SearchAttributeUpdate SearchAttributes TypedSearchAttributes
        VersioningBehavior VersioningOverride WorkerDeploymentVersion WorkflowIDConflictPolicy WorkflowIDReusePolicy""",
    "exceptions": """
        ActivityAlreadyStartedError ActivityError ApplicationError ApplicationErrorCategory CancelledError
        ChildWorkflowError FailureError InvalidVersioningOverrideError NexusOperationAlreadyStartedError
        NexusOperationError RetryState ServerError TemporalError TerminatedError TimeoutError TimeoutType
        WorkflowAlreadyStartedError is_cancelled_exception""",
    "converter": """
        AdvancedJSONEncoder BinaryNullPayloadConverter BinaryPlainPayloadConverter CompositePayloadConverter
        DataConverter DefaultFailureConverter DefaultFailureConverterWithEncodedAttributes DefaultPayloadConverter
        EncodingPayloadConverter FailureConverter JSONPlainPayloadConverter JSONTypeConverter PayloadCodec
        PayloadConverter SerializationContext WithSerializationContext WorkflowSerializationContext
        ActivitySerializationContext default value_to_type""",
    "testing": "ActivityEnvironment WorkflowEnvironment",
    "runtime": """
        BUFFERED_METRIC_KIND_COUNTER BUFFERED_METRIC_KIND_GAUGE BUFFERED_METRIC_KIND_HISTOGRAM BufferedMetric
        BufferedMetricKind BufferedMetricUpdate LogForwardingConfig LoggingConfig MetricBuffer
        MetricBufferDurationFormat OpenTelemetryConfig OpenTelemetryMetricTemporality PrometheusConfig Runtime
        TelemetryConfig TelemetryFilter""",
    "service": """
        ConnectConfig DnsLoadBalancingConfig GrpcCompression HttpConnectProxyConfig KeepAliveConfig PayloadLimitsConfig
        RPCError RPCStatusCode RetryConfig ServiceClient TLSConfig""",
    "envconfig": "ClientConfig ClientConfigProfile ClientConfigTLS ClientConnectConfig",
    "plugin": "PluginParameter SimplePlugin",
    "types": """
        AnyType CallableAsyncNoParam CallableAsyncSingleParam CallableSyncNoParam CallableSyncSingleParam CallableType
        ClassType MethodAsyncNoParam MethodAsyncSingleParam MethodSyncNoParam MethodSyncOrAsyncNoParam
        MethodSyncOrAsyncSingleParam MethodSyncSingleParam MultiParamSpec ParamType ReturnType SelfType""",
}


@pytest.mark.parametrize("module", NAMES)
def test_each_name_of_the_model_is_in_its_module(module: str) -> None:
    found = importlib.import_module(f"streamflow.{module}")

    assert [name for name in NAMES[module].split() if not hasattr(found, name)] == []


@pytest.mark.parametrize("name", ["workflow_run_operation", "client", "TemporalOperationHandler"])
def test_nexus_says_what_to_use_instead(name: str) -> None:
    with pytest.raises(NoCounterpartError, match="task queue"):
        getattr(nexus, name)
    with pytest.raises(AttributeError):
        nexus.nonsense  # noqa: B018


@pytest.mark.parametrize(
    "made",
    [
        BuildIdOpAddNewDefault,
        NexusClient,
        workflow.NexusClient[str],
        workflow.NexusOperationHandle[str],
    ],
)
def test_what_has_no_counterpart_cannot_be_made(made: Any) -> None:
    with pytest.raises(NoCounterpartError, match=r"patched|task queue"):
        made("1.0")


@pytest.mark.asyncio
async def test_calls_without_counterpart_name_one_that_does_it() -> None:
    async with await Client.connect("memory:names") as client:
        with pytest.raises(NoCounterpartError, match="WorkerDeploymentConfig"):
            await client.get_worker_task_reachability(build_ids=["1"])
        with pytest.raises(NoCounterpartError, match="task queue"):
            client.create_nexus_client(service="s", endpoint="e")
    with pytest.raises(NotImplementedError, match="Kafka of one's own"):
        await CloudOperationsClient.connect(api_key="k")


def test_insides_that_programs_import_are_the_public_classes() -> None:
    inside = importlib.import_module("streamflow.worker._interceptor")
    public = importlib.import_module("streamflow.worker")

    assert inside.Interceptor is public.Interceptor
    assert inside.WorkflowInboundInterceptor is public.WorkflowInboundInterceptor
