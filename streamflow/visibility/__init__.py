"""Which workflows are there? A store of rows, filled from the public feed, and the language that asks it.

    {ns}.executions --projector--> store (tables) <--sql-- binding <-- parsing <-- "WorkflowType = 'Order' AND ..."

The store is a cache of its feed: it remembers in the same transaction how far it has read, and can be thrown away.
"""

from __future__ import annotations

from streamflow.visibility.catalog import Catalog
from streamflow.visibility.errors import FilterError, StoreMismatch
from streamflow.visibility.projector import Visibility
from streamflow.visibility.store import Count, Group, Page, Store

__all__ = [
    "Catalog",
    "Count",
    "FilterError",
    "Group",
    "Page",
    "Store",
    "StoreMismatch",
    "Visibility",
]
