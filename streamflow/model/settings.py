"""What was declared for a namespace: its search attributes, and the namespace itself with its quotas."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class SearchAttributeEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A search attribute that was declared by command. Its type never changes."""

    name: str
    kind: str
    """``Text``, ``Keyword``, ``Int``, ``Double``, ``Bool``, ``Datetime`` or ``KeywordList``."""
    declared_ms: int = 0


class Quota(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How much one queue takes. None is no bound; 0 lets nothing begin."""

    open_workflows_max: int | None = None
    """Open runs of the queue."""
    starts_per_second: float | None = None
    """Runs that begin on the queue, in a second."""


NO_QUOTA = Quota()


class NamespaceEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A namespace that was made by command."""

    name: str
    description: str = ""
    owner: str = ""
    made_ms: int = 0
    open_workflows_max: int | None = None
    """Of each queue of the namespace that has no figure of its own, as `Quota`; streamflow's own queues are not bound by it."""
    starts_per_second: float | None = None
    """Likewise."""
    queue_quotas: Mapping[str, Quota] = {}
    """By queue; what one leaves out is as the namespace says."""

    def quota_of(self, queue: str, *, ours: bool = False) -> Quota:
        """What holds for this queue; ``ours`` says that it is one of streamflow's own."""
        own = self.queue_quotas.get(queue, NO_QUOTA)
        if ours:
            return own
        return Quota(
            open_workflows_max=self.open_workflows_max
            if own.open_workflows_max is None
            else own.open_workflows_max,
            starts_per_second=self.starts_per_second
            if own.starts_per_second is None
            else own.starts_per_second,
        )

    def with_quota(self, queue: str, quota: Quota) -> NamespaceEntry:
        """With this quota in place of the queue's own, or of the namespace's where ``queue`` is empty."""
        if not queue:
            return msgspec.structs.replace(
                self,
                open_workflows_max=quota.open_workflows_max,
                starts_per_second=quota.starts_per_second,
            )
        others = {name: one for name, one in self.queue_quotas.items() if name != queue}
        mine = {} if quota == NO_QUOTA else {queue: quota}
        return msgspec.structs.replace(self, queue_quotas={**others, **mine})
