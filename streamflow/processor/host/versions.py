"""Which version's code runs a run: a pinned one stays with the version that it began on, the others take what is here.

the run is not pinned           this processor's code
pinned to this version          this processor's code
pinned to one carried along     that version's code, which this processor has beside its own
pinned to another one           nothing here may run it: it waits, with a hint, for a processor that may
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.common import VersioningBehavior, WorkerDeploymentVersion
from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.engine.state import Run
from streamflow.model.intents import Activation

AUTO_UPGRADE = "auto_upgrade"
"""An override that pins a run to nothing."""
Definitions = Mapping[str, WorkflowDefinition]
NONE_CARRIED: Mapping[str, Definitions] = {}


class PinnedElsewhere(Exception):
    """The run is pinned to a version that this processor has no code of."""


def code_for(
    run: Run, own: str, definitions: Definitions, carried: Mapping[str, Definitions]
) -> Definitions:
    """The code that may run this run, by workflow type.

    Raises:
        PinnedElsewhere: it is not here.
    """
    if not run.pinned or run.version == own:
        return definitions
    found = carried.get(run.version)
    if found is None:
        here = ", ".join([own or "a processor without a version", *sorted(carried)])
        raise PinnedElsewhere(
            f"Expected a processor of version {run.version!r}, to which the run is pinned, found: {here}"
        )
    return found


def with_version(activation: Activation, run: Run, own: str, build_id: str) -> Activation:
    """The activation, with the version that runs it, or the build ID of a processor without one."""
    runs_on = run.version if run.pinned else own
    if not runs_on:
        return msgspec.structs.replace(activation, build_id=build_id) if build_id else activation
    version = WorkerDeploymentVersion.from_canonical_string(runs_on)
    return msgspec.structs.replace(
        activation,
        deployment=version.deployment_name,
        build_id=version.build_id,
        target_changed=runs_on != own,
    )


def with_pin(activation: Activation, run: Run, behaviour: VersioningBehavior) -> Activation:
    """The activation, with whether the run stays on its version: asked after the step, as code may say so in it."""
    if not activation.deployment:
        return activation
    override = run.start.version_override
    pinned = override != AUTO_UPGRADE if override else behaviour is VersioningBehavior.PINNED
    return msgspec.structs.replace(activation, pinned=pinned) if pinned else activation
