"""What a worker gives to every run whose code it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streamflow.common import MetricMeter


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    pins: bool = True
    """Whether a dynamic workflow may pin its runs to the worker's version."""
    meter: Callable[[], MetricMeter] | None = None
    """Where metrics of the code go; ``None`` is nowhere."""
    may_begin_patch: Callable[[Any, str], bool] | None = None
    """Asked with the run's `workflow.Info` when a run meets this patch for the first time; ``None`` is always."""
    check_local_activity: Callable[[str], None] | None = None
    """Raises for a local activity that the worker cannot run; ``None`` is for those that run none."""


NO_TRAITS = Traits()
