"""Changes that code makes to its run beside its work: patches, memo, search attributes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from streamflow.common import SearchAttributes, SearchAttributeUpdate
from streamflow.common.search_attributes import warn_of_untyped
from streamflow.coroutine.context import current
from streamflow.coroutine.instance import Instance
from streamflow.workflow.info import info


def patched(id: str) -> bool:
    """Whether changed code takes its newer way here. ``id`` names the change.

    True for runs that come here for the first time, which marks them; False for a run that passed here before the
    code was changed, and for the rest of that run. When no such run is left, call `deprecate_patch` instead and
    remove the older way.

    Example::

        if workflow.patched("charge-in-cents"):
            await workflow.execute_activity(charge_cents, ...)
        else:
            await workflow.execute_activity(charge, ...)
    """
    return _decide(id, deprecated=False)


def deprecate_patch(id: str) -> None:
    """Says that the older way of this patch is gone. When no run marked by `patched` is left, remove this too."""
    _decide(id, deprecated=True)


def _decide(id: str, *, deprecated: bool) -> bool:
    instance = current()
    instance.refuse_changes()
    return instance.patches.decide(
        id,
        deprecated=deprecated,
        replaying=instance.replaying,
        may_begin=lambda patch_id: _may_begin(instance, patch_id),
    )


def _may_begin(instance: Instance, patch_id: str) -> bool:
    ask = instance.traits.may_begin_patch
    if ask is None:
        return True
    instance.read_only = True
    try:
        answer = ask(info(), patch_id)
    finally:
        instance.read_only = False
    if type(answer) is not bool:
        raise TypeError(
            f"Expected the patch activation callback to return True or False, found {answer!r}"
        )
    return answer


def upsert_memo(updates: Mapping[str, Any]) -> None:
    """Adds or replaces values of the run's memo; ``None`` removes one. Others stay as they are."""
    instance = current()
    instance.refuse_changes()
    intent = instance.properties.upsert_memo(updates)
    if intent is not None:
        instance.operations.state(intent)


def upsert_search_attributes(
    attributes: SearchAttributes | Sequence[SearchAttributeUpdate[Any]],
) -> None:
    """Changes search attributes of the run, by ``key.value_set(...)`` and ``key.value_unset()``. Others stay as they are.

    The form without types, lists of values by name, is deprecated; an empty list removes.

    Raises:
        TypeError: a value is not of its key's type.
    """
    if not attributes:
        return
    warn_of_untyped(attributes)
    instance = current()
    instance.refuse_changes()
    instance.operations.state(instance.properties.upsert_search_attributes(attributes))
