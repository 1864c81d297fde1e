"""Which way changed code takes: the newer one, unless the run's history passed this place before there was a choice.

    replaying, and the history has no mark here    the older way
    otherwise                                      the newer way, which is marked

What a run has once decided for a patch holds for the rest of it.
"""

from __future__ import annotations

from collections.abc import Callable

from streamflow.coroutine.operations import Operations
from streamflow.model.intents import Activation, MarkPatch


class Patches:
    """The patches of one run."""

    __slots__ = ("_decided", "_marked", "_operations")

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._decided: dict[str, bool] = {}
        self._marked: set[str] = set()

    def begin_step(self, activation: Activation) -> None:
        if activation.patches:
            self._marked.update(activation.patches)

    def decide(
        self,
        patch_id: str,
        *,
        deprecated: bool,
        replaying: bool,
        may_begin: Callable[[str], bool] | None,
    ) -> bool:
        """Whether the code takes the newer way. ``may_begin`` is asked only where a run meets the patch for the first time."""
        decided = self._decided.get(patch_id)
        if decided is not None:
            return decided
        if replaying or patch_id in self._marked:
            newer = patch_id in self._marked
        else:
            newer = deprecated or may_begin is None or may_begin(patch_id)
        self._decided[patch_id] = newer
        if newer:
            self._operations.state(MarkPatch(patch_id=patch_id, deprecated=deprecated))
        return newer
