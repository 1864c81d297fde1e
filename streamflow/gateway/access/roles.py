"""Roles, and what grants make of somebody's identities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from streamflow.service import RPCError, RPCStatusCode

ANYONE = "anyone"
"""Whoever asks, logged in or not."""
ADDRESSED = (ANYONE, "token:NAME", "user:NAME", "group:NAME")
"""How a grant names those whom it is for."""


class Role(IntEnum):
    """A higher one has what the lower ones have."""

    VIEWER = 1
    """Lists, descriptions, histories, results, queries."""
    OPERATOR = 2
    """Starts, signals, updates, and everything else that is done to workflows and activities; dead letters; time travel."""
    ADMIN = 3
    """What concerns a whole namespace, and deletes: search attributes, closed runs."""

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A role, for some, somewhere."""

    role: Role
    to: tuple[str, ...]
    namespaces: tuple[str, ...] = ()
    """All when empty."""
    workflow_types: tuple[str, ...] = ()
    """All when empty; else the role holds for these types alone and for nothing of the whole namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks, with the grants that are theirs."""

    name: str
    """As logs and pages show it; empty where there is no login."""
    grants: tuple[Grant, ...]
    session_id: str = ""
    """Set if a browser's cookie said who it is: then forms carry a token that belongs to it."""

    @classmethod
    def of(
        cls, name: str, identities: Iterable[str], grants: Sequence[Grant], session_id: str = ""
    ) -> Principal:
        known = {ANYONE, *identities}
        theirs = tuple(grant for grant in grants if not known.isdisjoint(grant.to))
        return cls(name=name, grants=theirs, session_id=session_id)

    def role(self, namespace: str, workflow_type: str | None = None) -> Role | None:
        """The highest for workflows of a type; without one, for what concerns all of the namespace."""
        return max(
            (
                grant.role
                for grant in self._in(namespace)
                if not grant.workflow_types or workflow_type in grant.workflow_types
            ),
            default=None,
        )

    def may(self, role: Role, namespace: str, workflow_type: str | None = None) -> bool:
        found = self.role(namespace, workflow_type)
        return found is not None and found >= role

    def may_some(self, role: Role, namespace: str) -> bool:
        """Whether they have the role for any workflows there."""
        return any(grant.role >= role for grant in self._in(namespace))

    def require(self, role: Role, namespace: str, workflow_type: str | None = None) -> None:
        """Raises `RPCError` (PERMISSION_DENIED) that says what is needed and what is there."""
        if self.may(role, namespace, workflow_type):
            return
        found = self.role(namespace, workflow_type)
        of_type = f" for workflows of type {workflow_type!r}" if workflow_type is not None else ""
        raise RPCError(
            f"Expected the role {role.word} in namespace {namespace!r}{of_type}, found "
            f"{found.word if found else 'none'} of {self.name or 'nobody in particular'}: ask an admin of the gateway for a grant",
            RPCStatusCode.PERMISSION_DENIED,
        )

    def types(self, namespace: str) -> frozenset[str] | None:
        """The workflow types that may be seen; ``None`` is every type."""
        if self.may(Role.VIEWER, namespace):
            return None
        return frozenset(one for grant in self._in(namespace) for one in grant.workflow_types)

    def sees(self, namespace: str) -> bool:
        """Whether anything of it may be seen."""
        return any(True for _ in self._in(namespace))

    def _in(self, namespace: str) -> Iterable[Grant]:
        return (
            grant for grant in self.grants if not grant.namespaces or namespace in grant.namespaces
        )


EVERYBODY = Principal(name="", grants=(Grant(role=Role.ADMIN, to=(ANYONE,)),))
"""Whoever asks where there is no login."""
