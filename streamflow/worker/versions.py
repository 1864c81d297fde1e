"""Versions of a worker: which one it is, and which older ones it carries along so that their pinned runs can end."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamflow.common import VersioningBehavior, WorkerDeploymentVersion
from streamflow.coroutine.definition import WorkflowDefinition


@dataclass
class WorkerDeploymentConfig:
    """Which version of which deployment a worker is."""

    version: WorkerDeploymentVersion
    use_worker_versioning: bool
    """False only shows the version: no run is pinned."""
    default_versioning_behavior: VersioningBehavior = VersioningBehavior.UNSPECIFIED
    """Of workflows that say nothing of it themselves."""


PinnedVersions = Mapping[WorkerDeploymentVersion, Sequence[type]]
"""Workflow classes of older versions."""


def versioned(
    definitions: Mapping[str, WorkflowDefinition], config: WorkerDeploymentConfig | None
) -> dict[str, WorkflowDefinition]:
    """The definitions, each with the behaviour that holds for it.

    Raises:
        ValueError: versioning is on, and a workflow has no behaviour.
    """
    found: dict[str, WorkflowDefinition] = {}
    for name, definition in definitions.items():
        behaviour = VersioningBehavior.UNSPECIFIED
        if config is not None and config.use_worker_versioning:
            behaviour = definition.versioning_behavior or config.default_versioning_behavior
            if not behaviour and definition.dynamic_config_fn is None:
                raise ValueError(
                    f"Workflow {name or definition.cls.__name__!r} must specify a versioning behavior, as "
                    "use_worker_versioning is on, found none: give versioning_behavior to @workflow.defn, or "
                    "default_versioning_behavior to WorkerDeploymentConfig"
                )
        found[name] = dataclasses.replace(definition, versioning_behavior=behaviour)
    return found


def canonical(config: WorkerDeploymentConfig | None) -> str:
    """``deployment.build``; empty without versions.

    Raises:
        ValueError: the deployment's name has a dot, or one of the two is empty.
    """
    if config is None:
        return ""
    version = config.version
    if not version.deployment_name or not version.build_id or "." in version.deployment_name:
        raise ValueError(f"Expected a deployment name without dots and a build ID, found {version}")
    return version.to_canonical_string()
