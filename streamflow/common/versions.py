"""Versions of workers, and whether open runs move to newer ones."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class VersioningBehavior(IntEnum):
    """Whether open runs of a type move to new worker versions."""

    UNSPECIFIED = 0
    PINNED = 1
    """The run stays on the version that its first step ran on."""
    AUTO_UPGRADE = 2
    """Any version may run the next step."""


@dataclass(frozen=True)
class WorkerDeploymentVersion:
    """One version of the workers of a deployment."""

    deployment_name: str
    """Without dots."""
    build_id: str

    def to_canonical_string(self) -> str:
        """``deployment_name.build_id``."""
        return f"{self.deployment_name}.{self.build_id}"

    @staticmethod
    def from_canonical_string(canonical: str) -> WorkerDeploymentVersion:
        """The version that `to_canonical_string` made this text of.

        Raises:
            ValueError: the text has no dot.
        """
        deployment_name, dot, build_id = canonical.partition(".")
        if not dot:
            raise ValueError(
                f"Expected a version as <deployment_name>.<build_id>, found {canonical!r}"
            )
        return WorkerDeploymentVersion(deployment_name, build_id)


class VersioningOverride:
    """Says of one run which versions may run it, whatever its type says."""

    def _override(self) -> str:
        """As the log has it."""
        raise NotImplementedError


@dataclass(frozen=True)
class PinnedVersioningOverride(VersioningOverride):
    """Only this version may run it."""

    version: WorkerDeploymentVersion

    def _override(self) -> str:
        return self.version.to_canonical_string()


@dataclass(frozen=True)
class AutoUpgradeVersioningOverride(VersioningOverride):
    """Any version may run it."""

    def _override(self) -> str:
        return "auto_upgrade"
