"""Whether new patches begin: the worker's word in what `workflow.patched` says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

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
) -> Traits:
    if callback is None:
        return Traits(meter=meter, pins=pins)
    return Traits(
        meter=meter,
        pins=pins,
        may_begin_patch=lambda info, patch_id: callback(PatchActivationInput(info, patch_id)),
    )
