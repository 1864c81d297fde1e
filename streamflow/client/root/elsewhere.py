"""Calls that have no counterpart on Kafka: each says what to use instead."""

from __future__ import annotations

from typing import Any

from streamflow.absent import refuse_build_ids, refuse_nexus
from streamflow.client import inputs
from streamflow.client.root.calls import Calls


class ElsewhereCalls(Calls):
    async def update_worker_build_id_compatibility(
        self, input: inputs.UpdateWorkerBuildIdCompatibilityInput
    ) -> None:
        refuse_build_ids("Client.update_worker_build_id_compatibility")

    async def get_worker_build_id_compatibility(
        self, input: inputs.GetWorkerBuildIdCompatibilityInput
    ) -> Any:
        refuse_build_ids("Client.get_worker_build_id_compatibility")

    async def get_worker_task_reachability(
        self, input: inputs.GetWorkerTaskReachabilityInput
    ) -> Any:
        refuse_build_ids("Client.get_worker_task_reachability")

    async def start_nexus_operation(self, input: inputs.StartNexusOperationInput) -> Any:
        refuse_nexus("A client's Nexus operation")

    async def describe_nexus_operation(self, input: inputs.DescribeNexusOperationInput) -> Any:
        refuse_nexus("A client's Nexus operation")

    async def get_nexus_operation_result(self, input: inputs.GetNexusOperationResultInput) -> Any:
        refuse_nexus("A client's Nexus operation")

    async def cancel_nexus_operation(self, input: inputs.CancelNexusOperationInput) -> None:
        refuse_nexus("A client's Nexus operation")

    async def terminate_nexus_operation(self, input: inputs.TerminateNexusOperationInput) -> None:
        refuse_nexus("A client's Nexus operation")

    def list_nexus_operations(self, input: inputs.ListNexusOperationsInput) -> Any:
        refuse_nexus("Client.list_nexus_operations")

    async def count_nexus_operations(self, input: inputs.CountNexusOperationsInput) -> Any:
        refuse_nexus("Client.count_nexus_operations")
