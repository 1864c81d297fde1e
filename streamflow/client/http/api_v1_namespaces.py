"""The public HTTP API's words for namespaces."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from streamflow.topology.namespaces import FIGURE_MAX, NamespaceChange, NamespaceSummary

NOTE_CHARS_MAX = 1_000


class NamespacesBody(msgspec.Struct, frozen=True, kw_only=True):
    """The namespaces that a gateway serves, as far as the caller may see them."""

    namespaces: tuple[NamespaceSummary, ...]


Note = Annotated[str, msgspec.Meta(max_length=NOTE_CHARS_MAX)]


class CreateNamespaceBody(msgspec.Struct, frozen=True, kw_only=True):
    """Makes the namespace's topics, and notes what it is for; of one that is there, changes the notes."""

    description: Note = ""
    owner: Note = ""
    replication_factor: Annotated[int, msgspec.Meta(ge=1, le=100)] | None = None
    """Copies of each topic; 3 when left out, or 1 with ``dev``."""
    dev: bool = False
    """For one broker on a laptop: one copy is enough."""


class ChangeNamespaceBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Changes quotas and notes; what is left out stays. A quota of ``null`` is no bound."""

    queue: str = ""
    """The quotas are of this queue alone, in place of the namespace's."""
    open_workflows_max: Annotated[int, msgspec.Meta(ge=0, le=FIGURE_MAX)] | UnsetType | None = UNSET
    starts_per_second: Annotated[float, msgspec.Meta(ge=0, le=FIGURE_MAX)] | UnsetType | None = (
        UNSET
    )
    description: Note | UnsetType = UNSET
    owner: Note | UnsetType = UNSET

    def change(self) -> NamespaceChange:
        """Raises ValueError where nothing is to be changed."""
        quota = {
            name: value
            for name in ("open_workflows_max", "starts_per_second")
            if (value := getattr(self, name)) is not UNSET
        }
        notes = {
            name: value
            for name in ("description", "owner")
            if (value := getattr(self, name)) is not UNSET
        }
        if not quota and (self.queue or not notes):
            of_queue = " for the queue" if self.queue else ", description or owner"
            raise ValueError(
                f"Expected open_workflows_max or starts_per_second{of_queue}, found nothing to change"
            )
        return NamespaceChange(queue=self.queue, quota=quota, notes=notes)

    @staticmethod
    def of(change: NamespaceChange) -> ChangeNamespaceBody:
        return msgspec.convert(
            {"queue": change.queue, **change.quota, **change.notes}, ChangeNamespaceBody
        )
