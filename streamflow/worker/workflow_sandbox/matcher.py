"""Names that are restricted, as a tree: ``datetime`` has the child ``date``, of which ``today`` may not be used."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

_NOTHING: Set[str] = frozenset()
_NO_CHILDREN: Mapping[str, SandboxMatcher] = MappingProxyType({})


@dataclass(frozen=True)
class SandboxMatcher:
    """One level of the tree. Never changed: the methods give changed copies. ``*`` stands for every name."""

    access: Set[str] = _NOTHING
    """Names that may not even be looked at."""
    use: Set[str] = _NOTHING
    """Names that may be looked at and not be called."""
    children: Mapping[str, SandboxMatcher] = field(default_factory=lambda: _NO_CHILDREN)
    match_self: bool = False
    """Whether everything from here on is restricted."""
    only_runtime: bool = False
    """Whether this holds while code runs, and not while modules are imported."""
    leaf_message: str | None = None
    leaf_warning: type[Warning] | None = None
    """Warns instead of refusing."""
    exclude: Set[str] = _NOTHING
    """Names that are free, whatever else is said."""

    all: ClassVar[SandboxMatcher]
    all_runtime: ClassVar[SandboxMatcher]
    none: ClassVar[SandboxMatcher]
    all_uses: ClassVar[SandboxMatcher]
    all_uses_runtime: ClassVar[SandboxMatcher]

    def __post_init__(self) -> None:
        if (self.leaf_message or self.leaf_warning) and not self.match_self:
            raise ValueError(
                "Expected match_self=True with a leaf_message or leaf_warning, found False"
            )

    @classmethod
    def nested_child(cls, path: Sequence[str], child: SandboxMatcher) -> SandboxMatcher:
        """A tree that has ``child`` at this path and nothing else."""
        made = child
        for name in reversed(path):
            made = cls(children={name: made})
        return made

    def restricts(self, *path: str) -> bool:
        """Whether code that runs may not use what is at this path."""
        here = self
        for name in path:
            if name in here.exclude:
                return False
            if here.match_self or not {name, "*"}.isdisjoint(here.access | here.use):
                return True
            child = here.children.get(name) or here.children.get("*")
            if child is None:
                return False
            here = child
        return here.match_self and here.leaf_warning is None

    def with_child_unrestricted(self, *child_path: str) -> SandboxMatcher:
        """A copy that says nothing of what is at this path."""
        if not child_path:
            raise ValueError("Expected the path of a name, found none")
        name, *rest = child_path
        children = dict(self.children)
        if rest:
            if name in children:
                children[name] = children[name].with_child_unrestricted(*rest)
            return dataclasses.replace(self, children=children)
        children.pop(name, None)
        return dataclasses.replace(
            self, access=self.access - {name}, use=self.use - {name}, children=children
        )

    def __or__(self, other: SandboxMatcher) -> SandboxMatcher:
        """What either restricts."""
        for what in ("only_runtime", "leaf_message", "leaf_warning"):
            if getattr(self, what) != getattr(other, what):
                raise ValueError(f"Expected matchers with one {what} to be combined, found two")
        if self.match_self or other.match_self:
            return SandboxMatcher.all
        children = dict(self.children)
        for name, child in other.children.items():
            children[name] = children[name] | child if name in children else child
        return SandboxMatcher(
            access=self.access | other.access,
            use=self.use | other.use,
            children=children,
            only_runtime=self.only_runtime,
            exclude=self.exclude & other.exclude,
        )


SandboxMatcher.all = SandboxMatcher(match_self=True)
SandboxMatcher.all_runtime = SandboxMatcher(match_self=True, only_runtime=True)
SandboxMatcher.none = SandboxMatcher()
SandboxMatcher.all_uses = SandboxMatcher(use=frozenset({"*"}))
SandboxMatcher.all_uses_runtime = SandboxMatcher(use=frozenset({"*"}), only_runtime=True)
