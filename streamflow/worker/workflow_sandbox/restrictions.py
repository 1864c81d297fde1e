"""What workflow code is kept from, in the words of a sandbox that imports modules once more for each run.

Nothing is imported once more here; the guards (`streamflow.coroutine.guard`) do the refusing. So of restrictions

- modules that are passed through are not guarded,
- names that the default restricts and these do not are let through,
- names that only these restrict, modules that may not be imported, and notices of imports have no effect.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Set
from dataclasses import dataclass
from typing import ClassVar

from streamflow.coroutine.errors import RestrictedWorkflowAccessError
from streamflow.coroutine.guarding import Guarding
from streamflow.coroutine.refused import REFUSED
from streamflow.exceptions import StreamflowError
from streamflow.worker.workflow_sandbox.matcher import SandboxMatcher
from streamflow.workflow.unsafe import SandboxImportNotificationPolicy

__all__ = [
    "RestrictedWorkflowAccessError",
    "SandboxMatcher",
    "SandboxRestrictions",
    "UnintentionalPassthroughError",
]


class UnintentionalPassthroughError(StreamflowError):
    """A module was passed through that nobody named. Never raised here: every module is."""

    def __init__(self, qualified_name: str) -> None:
        super().__init__(f"Expected {qualified_name} to be named as passed through, found it not")
        self.qualified_name = qualified_name


@dataclass(frozen=True)
class SandboxRestrictions:
    """Restrictions of workflow code. The module says which of them have an effect."""

    passthrough_modules: Set[str]
    """Modules, with all below them, that are not guarded."""
    invalid_modules: SandboxMatcher
    """Without effect."""
    invalid_module_members: SandboxMatcher
    """Names that may not be used."""
    import_notification_policy: SandboxImportNotificationPolicy = (
        SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
    )
    """Without effect."""
    passthrough_all_modules: bool = False
    """Whether no module is guarded, the workflow's own excepted."""
    disable_lazy_sys_module_passthrough: bool = False
    """Without effect."""

    passthrough_modules_minimum: ClassVar[Set[str]]
    passthrough_modules_with_temporal: ClassVar[Set[str]]
    passthrough_modules_maximum: ClassVar[Set[str]]
    passthrough_modules_default: ClassVar[Set[str]]
    invalid_module_members_default: ClassVar[SandboxMatcher]
    default: ClassVar[SandboxRestrictions]

    def with_passthrough_modules(self, *modules: str) -> SandboxRestrictions:
        """A copy under which these modules are not guarded either."""
        return dataclasses.replace(
            self, passthrough_modules=self.passthrough_modules | frozenset(modules)
        )

    def with_passthrough_all_modules(self) -> SandboxRestrictions:
        """A copy under which only the modules that define workflows are guarded."""
        return dataclasses.replace(self, passthrough_all_modules=True)

    def with_import_notification_policy(
        self, policy: SandboxImportNotificationPolicy
    ) -> SandboxRestrictions:
        """A copy with this policy, which has no effect."""
        return dataclasses.replace(self, import_notification_policy=policy)

    def _guarding(self) -> Guarding:
        """What the guards make of it."""
        free = [
            name for name in REFUSED if not self.invalid_module_members.restricts(*name.split("."))
        ]
        return Guarding(
            passing=frozenset(self.passthrough_modules)
            - SandboxRestrictions.passthrough_modules_default,
            passing_all=self.passthrough_all_modules,
            allowed=frozenset(free),
            warns=True,
        )


def _refused_names() -> SandboxMatcher:
    """The tree of what the guards refuse."""
    tree = SandboxMatcher.none
    for name in REFUSED:
        *path, last = name.split(".")
        tree |= SandboxMatcher.nested_child(path, SandboxMatcher(use=frozenset({last})))
    return tree


SandboxRestrictions.passthrough_modules_minimum = frozenset({"typing", "importlib", "pathlib"})
SandboxRestrictions.passthrough_modules_with_temporal = (
    SandboxRestrictions.passthrough_modules_minimum
    | {"asyncio", "abc", "streamflow", "google.protobuf", "pydantic", "pydantic_core"}
    | {"annotated_types", "typing_extensions"}
)
SandboxRestrictions.passthrough_modules_maximum = (
    SandboxRestrictions.passthrough_modules_with_temporal | (sys.stdlib_module_names - {"sys"})
)
SandboxRestrictions.passthrough_modules_default = SandboxRestrictions.passthrough_modules_maximum
SandboxRestrictions.invalid_module_members_default = _refused_names()
SandboxRestrictions.default = SandboxRestrictions(
    passthrough_modules=SandboxRestrictions.passthrough_modules_default,
    invalid_modules=SandboxMatcher.none,
    invalid_module_members=SandboxRestrictions.invalid_module_members_default,
)
