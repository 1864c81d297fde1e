"""The `Store` and `Stores` ports over RocksDB (rocksdict): local state, one database per partition.

A store is a disposable cache of its log. What is in it, and when it is written, is the processor's business.
"""

from streamflow.rocksdb.options import StoreBudget
from streamflow.rocksdb.store import RocksStore
from streamflow.rocksdb.stores import RocksStores

__all__ = ["RocksStore", "RocksStores", "StoreBudget"]
