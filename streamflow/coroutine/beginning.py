"""What code begins beside timers: activities, children, messages to other workflows. Each is a machine of the instance's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from streamflow.coroutine.machines.activity import ActivityHandle, ActivityMachine, ActivityRequest
from streamflow.coroutine.machines.child import ChildHandle, ChildMachine, ChildRequest
from streamflow.coroutine.machines.external import (
    CancelRequest,
    Delivery,
    ExternalMachine,
    SignalRequest,
)

if TYPE_CHECKING:
    from streamflow.coroutine.instance import Instance
    from streamflow.coroutine.values import Values


def begin_activity(
    instance: Instance, request: ActivityRequest, result_type: Any
) -> ActivityHandle[Any]:
    instance.refuse_changes()
    values = instance.values.of_activity(
        instance.facts,
        request.activity_type,
        request.activity_id,
        request.queue,
        local=request.local,
    )
    machine = ActivityMachine(instance.operations, instance.loop, values, request, result_type)
    return machine.handle


def begin_child(
    instance: Instance,
    request: ChildRequest,
    values: Values,
    result_type: Any,
    *,
    handle_class: type[ChildHandle[Any]],
) -> ChildMachine:
    instance.refuse_changes()
    return ChildMachine(
        instance.operations,
        instance.loop,
        values,
        request,
        result_type,
        namespace=instance.facts.namespace,
        handle_class=handle_class,
    )


def begin_message(
    instance: Instance, request: SignalRequest | CancelRequest, values: Values
) -> Delivery:
    instance.refuse_changes()
    return ExternalMachine(instance.operations, instance.loop, values, request).delivery
