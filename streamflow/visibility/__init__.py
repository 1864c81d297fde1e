"""Which workflows are there? A store of rows, filled from the public feed, and the language that asks it.

    {ns}.executions --projector--> rows --writing--> tables <--reading, counting-- planning, sql, paging
                                                                 ^
               "WorkflowType = 'Order' AND ..." --parsing--> syntax --binding

The store is a cache of its feed: it remembers in the same transaction how far it has read, and can be thrown away.
"""

from __future__ import annotations

from streamflow.visibility.catalog import Catalog
from streamflow.visibility.counting import Count, Group
from streamflow.visibility.errors import FilterError, StoreMismatch
from streamflow.visibility.projector import Visibility
from streamflow.visibility.reading import Page
from streamflow.visibility.store import Store

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
