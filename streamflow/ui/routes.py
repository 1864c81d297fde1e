"""Which pages there are, as routes to be served beside the gateway's."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.routing import BaseRoute, Route

from streamflow.client import Client
from streamflow.ui import (
    actions,
    batches,
    execution,
    executions,
    letters,
    queues,
    schedules,
    starting,
)
from streamflow.ui.site import Site, View

PAGES: tuple[tuple[str, str, View], ...] = (
    ("GET", "workflows", executions.page),
    ("GET", "jump", executions.jump),
    ("GET", "workflow", execution.page),
    ("GET", "log", execution.download),
    ("GET", "act", actions.form),
    ("POST", "act", actions.perform),
    ("GET", "start", starting.form),
    ("POST", "start", starting.perform),
    ("GET", "batch", batches.form),
    ("POST", "batch", batches.perform),
    ("GET", "schedules", schedules.page),
    ("GET", "schedule", schedules.one),
    ("POST", "schedule", schedules.perform),
    ("GET", "queues", queues.page),
    ("GET", "letters", letters.page),
    ("GET", "letter", letters.one),
    ("POST", "letter", letters.perform),
)


def ui_routes(clients: Mapping[str, Client]) -> list[BaseRoute]:
    """The UI over these clients, by namespace: `Gateway(transports, extra_routes=ui_routes(clients))`."""
    site = Site(clients)
    routes: list[BaseRoute] = [
        Route("/", site.home),
        Route("/ui/static/{version}/{name}", site.file),
    ]
    for method, path, view in PAGES:
        routes.append(Route(f"/ui/{{namespace}}/{path}", site.endpoint(view), methods=[method]))
    return [*routes, Route("/ui/{rest:path}", site.nothing)]
