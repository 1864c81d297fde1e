"""The workflow's object: made of the start's arguments in the first step, and asked what it says of itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from streamflow.common import RawValue
from streamflow.coroutine.arguments import decoding_arguments
from streamflow.coroutine.interception import Intercept
from streamflow.model.events import WorkflowStarted

if TYPE_CHECKING:
    from streamflow.coroutine.instance import Instance


def create(instance: Instance, started: WorkflowStarted, intercept: Intercept | None) -> None:
    """Gives the instance its object, and what stands between inputs and code. Raises what the class or the decoding raises."""
    definition = instance.definition
    if intercept is not None:
        instance.interception = instance.context.run(intercept, instance)
    arguments = start_arguments(instance, started) if definition.init_takes_arguments else []
    instance.workflow = instance.context.run(definition.cls, *arguments)


def configure(instance: Instance) -> Sequence[type[BaseException]] | None:
    """What a dynamic workflow says of itself, once its object is there and before its code runs: whether the run stays on its
    version, and which exceptions fail it (``None`` is what its definition says)."""
    config = instance.definition.dynamic_config_fn
    if config is None:
        return None
    instance.read_only = True
    try:
        said = instance.context.run(config, instance.workflow)
    finally:
        instance.read_only = False
    if instance.traits.pins:
        instance.versioning = getattr(said, "versioning_behavior", None) or instance.versioning
    types: Sequence[type[BaseException]] | None = getattr(said, "failure_exception_types", None)
    return types


def start_arguments(instance: Instance, started: WorkflowStarted) -> list[Any]:
    if instance.definition.dynamic:
        return [[RawValue(payload) for payload in started.args]]
    with decoding_arguments():
        return instance.values.decode(started.args, instance.definition.run_signature.arguments)
