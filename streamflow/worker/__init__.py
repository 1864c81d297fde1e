"""Workers: what runs a queue's workflows and activities in the user's own process.

    Worker ── processor (workflows)      streamflow.processor, driven by the log
         └── poller (activities)         tasks of the queue --> executor (event loop and threads) --> reports

`worker` is the public class, `service` its parts and their order, `poller` takes tasks and commits which are done (`window`),
`executor` runs them, `local` runs those of the processor, `sending` and `replies` speak with the tasks' owners.
"""

from __future__ import annotations

from streamflow.worker.setup import WorkerClient
from streamflow.worker.worker import Worker, WorkerConfig

__all__ = ["Worker", "WorkerClient", "WorkerConfig"]
