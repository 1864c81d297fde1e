"""Metrics that workflow code records: each once, however often the code is replayed."""

from __future__ import annotations

from streamflow.common import MetricMeter
from streamflow.common.meters import RecordingMeter
from streamflow.coroutine.context import current
from streamflow.coroutine.instance import Instance

_MEMORY = "meter"


def metric_meter() -> MetricMeter:
    """The worker's meter, with namespace, task queue and workflow type as attributes. Replayed steps record nothing."""
    instance = current()
    found = instance.memory.get(_MEMORY)
    if found is None:
        found = instance.memory[_MEMORY] = _meter_of(instance)
    assert isinstance(found, MetricMeter)
    return found


def _meter_of(instance: Instance) -> MetricMeter:
    make = instance.traits.meter
    meter = MetricMeter.noop if make is None else make()
    assert isinstance(meter, RecordingMeter), meter  # the runtime makes no others
    facts = instance.facts
    attributes = {
        "namespace": facts.namespace,
        "task_queue": facts.queue,
        "workflow_type": facts.started.workflow_type,
    }
    # A query is no replay, whatever step it follows.
    return meter.only_when(
        lambda: not instance.replaying or instance.read_only
    ).with_additional_attributes(attributes)
