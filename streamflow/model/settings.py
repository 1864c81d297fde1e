"""What was declared for a namespace: its search attributes, and the namespace itself."""

from __future__ import annotations

import msgspec


class SearchAttributeEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A search attribute that was declared by command. Its type never changes."""

    name: str
    kind: str
    """``Text``, ``Keyword``, ``Int``, ``Double``, ``Bool``, ``Datetime`` or ``KeywordList``."""
    declared_ms: int = 0


class NamespaceEntry(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A namespace that was made by command."""

    name: str
    description: str = ""
    owner: str = ""
    made_ms: int = 0
