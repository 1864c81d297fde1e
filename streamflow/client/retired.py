"""Names of the model's client that have no counterpart here: each says so when it is used, and what to use instead."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NoReturn

from streamflow.absent import refuse_build_ids, refuse_nexus


class _BuildIds:
    """What all of it would have been about."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        refuse_build_ids(type(self).__name__)


class BuildIdOp(_BuildIds):
    """Raises when made: build-ID sets are no more."""


class BuildIdOpAddNewDefault(BuildIdOp):
    """Raises when made."""


class BuildIdOpAddNewCompatible(BuildIdOp):
    """Raises when made."""


class BuildIdOpPromoteSetByBuildId(BuildIdOp):
    """Raises when made."""


class BuildIdOpPromoteBuildIdWithinSet(BuildIdOp):
    """Raises when made."""


class BuildIdOpMergeSets(BuildIdOp):
    """Raises when made."""


class WorkerBuildIdVersionSets(_BuildIds):
    """Raises when made."""


class BuildIdVersionSet(_BuildIds):
    """Raises when made."""


class BuildIdReachability(_BuildIds):
    """Raises when made."""


class WorkerTaskReachability(_BuildIds):
    """Raises when made."""


class TaskReachabilityType(IntEnum):
    """There for ported code."""

    NEW_WORKFLOWS = 1
    EXISTING_WORKFLOWS = 2
    OPEN_WORKFLOWS = 3
    CLOSED_WORKFLOWS = 4


class _Nexus:
    def __init__(self, *_args: Any, **_options: Any) -> None:
        refuse_nexus(type(self).__name__)


class NexusClient(_Nexus):
    """Raises when made."""


class NexusOperationHandle(_Nexus):
    """Raises when made."""


class NexusOperationFailureError(_Nexus, Exception):
    """Never raised."""


class Callback(_Nexus):
    """Raises when made."""


class CloudOperationsClient:
    """There is no cloud service: operate your own Kafka."""

    @staticmethod
    async def connect(*_args: Any, **_options: Any) -> NoReturn:
        raise NotImplementedError(
            "Expected a Kafka of one's own, found CloudOperationsClient: there is no cloud service to operate"
        )


# -- methods of Client ------------------------------------------------------------------------------------------------


async def update_worker_build_id_compatibility(
    self: object, *_args: Any, **_options: Any
) -> NoReturn:
    """Raises: give workers a WorkerDeploymentConfig instead."""
    refuse_build_ids("Client.update_worker_build_id_compatibility")


async def get_worker_build_id_compatibility(self: object, *_args: Any, **_options: Any) -> NoReturn:
    """Raises: give workers a WorkerDeploymentConfig instead."""
    refuse_build_ids("Client.get_worker_build_id_compatibility")


async def get_worker_task_reachability(self: object, *_args: Any, **_options: Any) -> NoReturn:
    """Raises: give workers a WorkerDeploymentConfig instead."""
    refuse_build_ids("Client.get_worker_task_reachability")


def create_nexus_client(self: object, *_args: Any, **_options: Any) -> NoReturn:
    """Raises: start a workflow on the other team's task queue instead."""
    refuse_nexus("Client.create_nexus_client")


def list_nexus_operations(self: object, *_args: Any, **_options: Any) -> NoReturn:
    """Raises: list workflows instead."""
    refuse_nexus("Client.list_nexus_operations")


async def count_nexus_operations(self: object, *_args: Any, **_options: Any) -> NoReturn:
    """Raises: count workflows instead."""
    refuse_nexus("Client.count_nexus_operations")


def get_nexus_operation_handle(self: object, *_args: Any, **_options: Any) -> NoReturn:
    """Raises: use a workflow's handle instead."""
    refuse_nexus("Client.get_nexus_operation_handle")
