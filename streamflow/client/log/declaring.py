"""Search attributes that are declared for a namespace, over a log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from streamflow import topology
from streamflow.client.log.patience import blocking
from streamflow.client.transport import DEADLINE_S
from streamflow.common import SearchAttributeIndexedValueType
from streamflow.model.settings import SearchAttributeEntry
from streamflow.service import RPCError, RPCStatusCode

if TYPE_CHECKING:
    from streamflow.ports import Log

NAME_CHARS_MAX = 255
DECLARED_MAX = 1_000
"""Search attributes of one namespace."""


async def search_attributes(log: Log, namespace: str) -> Mapping[str, str]:
    """Names and types."""
    found = await blocking(log, lambda: topology.read_settings(log, namespace))
    return {name: entry.kind for name, entry in sorted(found.search_attributes.items())}


async def declare_search_attributes(log: Log, namespace: str, wanted: Mapping[str, str]) -> None:
    """Declares them; those that are there with the same type are left alone.

    Raises:
        RPCError: INVALID_ARGUMENT for a name or type that is none, ALREADY_EXISTS for one that has another type,
            RESOURCE_EXHAUSTED over 1,000 of them.
    """
    known = await search_attributes(log, namespace)
    for name, kind in wanted.items():
        _check(name, kind, known)
    fresh = {name: kind for name, kind in wanted.items() if name not in known}
    if len(known) + len(fresh) > DECLARED_MAX:
        raise RPCError(
            f"Expected at most {DECLARED_MAX} search attributes in a namespace, found {len(known)} and {len(fresh)} more",
            RPCStatusCode.RESOURCE_EXHAUSTED,
        )
    now_ms = log.clock.now_ms()
    entries = [
        SearchAttributeEntry(name=name, kind=kind, declared_ms=now_ms)
        for name, kind in fresh.items()
    ]
    if entries:
        await blocking(
            log,
            lambda: topology.write_search_attributes(log, namespace, entries),
            patience_s=DEADLINE_S,
        )


async def forget_search_attributes(log: Log, namespace: str, names: Sequence[str]) -> None:
    """Takes declarations back; runs keep their values. Raises NOT_FOUND for a name that is not declared."""
    known = await search_attributes(log, namespace)
    if missing := sorted(set(names) - known.keys()):
        raise RPCError(
            f"Expected declared search attributes, found none named {', '.join(missing)}",
            RPCStatusCode.NOT_FOUND,
        )
    await blocking(log, lambda: topology.delete_search_attributes(log, namespace, names))


def _check(name: str, kind: str, known: Mapping[str, str]) -> None:
    kinds = [choice.type_name for choice in SearchAttributeIndexedValueType]
    if kind not in kinds:
        raise RPCError(
            f"Expected {name!r} to have one of the types {', '.join(kinds)}, found {kind!r}",
            RPCStatusCode.INVALID_ARGUMENT,
        )
    if not name or len(name) > NAME_CHARS_MAX or "`" in name or "\0" in name:
        raise RPCError(
            f"Expected a name of 1 to {NAME_CHARS_MAX} characters without backquotes, found {name[:40]!r}",
            RPCStatusCode.INVALID_ARGUMENT,
        )
    if known.get(name, kind) != kind:
        raise RPCError(
            f"Expected search attribute {name!r} to be new or a {kind}, found a {known[name]}: types never change",
            RPCStatusCode.ALREADY_EXISTS,
        )
