"""Which workflows are there? A store of rows, filled from the public feed, and the language that asks it.

    {ns}.executions --projector--> rows --writing--> tables <--reading, counting-- planning, sql, paging
                                                                 ^
               "WorkflowType = 'Order' AND ..." --parsing--> syntax --binding

The store is a cache of its feed: it remembers in the same transaction how far it has read, and can be thrown away.

What needs the SQL library is imported from its own module, so that a worker, who never lists, does without it.
"""

from streamflow.visibility.catalog import Catalog
from streamflow.visibility.errors import FilterError, StoreMismatch

__all__ = ["Catalog", "FilterError", "StoreMismatch"]
