"""Whether new patches begin: the worker's word in what `workflow.patched` says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from streamflow.common import MetricMeter
from streamflow.coroutine.traits import Traits
from streamflow.workflow.info import Info


@dataclass(frozen=True)
class PatchActivationInput:
    """What the callback is asked: may this run take the newer way of this patch, which it meets for the first time?"""

    workflow_info: Info
    patch_id: str


def traits_of(
    callback: Callable[[PatchActivationInput], bool] | None,
    meter: Callable[[], MetricMeter],
    *,
    pins: bool,
    check_local_activity: Callable[[str], None],
) -> Traits:
    traits = Traits(meter=meter, pins=pins, check_local_activity=check_local_activity)
    if callback is None:
        return traits

    def may_begin(info: Info, patch_id: str) -> bool:
        return callback(PatchActivationInput(info, patch_id))

    return msgspec.structs.replace(traits, may_begin_patch=may_begin)
