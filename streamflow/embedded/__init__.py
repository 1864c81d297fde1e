"""The embedded log: durable in one folder, for one process, with nothing else to run.

A commit is one RocksDB batch and one sync of its write-ahead log (`journal`). Sources are woken within the process,
so a record goes from hand to hand without waiting.
"""

from streamflow.embedded.log import EmbeddedLog

__all__ = ["EmbeddedLog"]
