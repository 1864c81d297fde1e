"""``streamflow worker``: runs Apps itself, and has commands that say who does elsewhere. No App is called like one of
them, as an App has a colon in its name."""

from __future__ import annotations

from cyclopts import App

from streamflow.cli.processes.worker import worker

group = App(name="worker")
group.default(worker)
group.command(
    "streamflow.cli.operating.instances:list_", name="list", help="List who serves queues."
)
group.command("streamflow.cli.operating.instances:describe", help="Show the partitions of one.")
