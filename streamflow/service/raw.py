"""Raw services of the model, which are gRPC: there are none here, and each use says what to call instead."""

from __future__ import annotations

from typing import Any, ClassVar

_INSTEAD = {
    "WorkflowService": "use the methods of Client and of its handles, which also reset, pause, delete and work in batches",
    "OperatorService": "use the `streamflow namespace` and `streamflow topology` commands",
    "CloudService": "there is no cloud service; operate your own Kafka",
    "TestService": "use streamflow.testing.WorkflowEnvironment, which skips time by itself",
    "HealthService": "use ServiceClient.check_health()",
}


class _RawService:
    name: ClassVar[str]

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        raise NotImplementedError(
            f"Expected a call that needs no gRPC service, found {self.name}.{method}: {_INSTEAD[self.name]}"
        )


class WorkflowService(_RawService):
    """Raises on every use."""

    name = "WorkflowService"


class OperatorService(_RawService):
    """Raises on every use."""

    name = "OperatorService"


class CloudService(_RawService):
    """Raises on every use."""

    name = "CloudService"


class TestService(_RawService):
    """Raises on every use."""

    __test__ = False
    name = "TestService"


class HealthService(_RawService):
    """Raises on every use."""

    name = "HealthService"
