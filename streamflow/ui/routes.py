"""Which pages there are, as routes to be served beside the gateway's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from starlette.routing import BaseRoute, Route

from streamflow.client import Client
from streamflow.gateway.access import Access
from streamflow.timetravel import Travels
from streamflow.ui import (
    actions,
    audit,
    batches,
    execution,
    executions,
    letters,
    partitions,
    queues,
    schedules,
    starting,
    topics,
)
from streamflow.ui.login import login_routes
from streamflow.ui.site import Site, View, Visit

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
    ("GET", "queue", partitions.page),
    ("GET", "topics", topics.page),
    ("GET", "schema", topics.schema),
    ("GET", "letters", letters.page),
    ("GET", "letter", letters.one),
    ("POST", "letter", letters.perform),
    ("GET", "audit", audit.page),
)


def ui_routes(
    clients: Mapping[str, Client],
    access: Access | None = None,
    *,
    public_url: str = "",
    travels: Travels | None = None,
    may_travel: Callable[[Visit], bool] = lambda _visit: True,
) -> list[BaseRoute]:
    """The UI over these clients, by namespace: `Gateway(transports, extra_routes=ui_routes(clients))`.

    Args:
        access: Who may what, which the gateway is given as well: then there is a login.
        public_url: Where browsers find the gateway; the address of the request when left out.
        travels: Makes steps of runs anew, with the workflow code of this process. Its pages show what the code holds, and
            take the role operator, so serve them on loopback or with ``access``. Without it those pages say that there is
            no code.
        may_travel: Whether whoever visits may see that, besides.
    """
    site = Site(clients, access, travels=travels, may_travel=may_travel)
    routes: list[BaseRoute] = [
        Route("/", site.home),
        Route("/ui/static/{version}/{name}", site.file),
    ]
    for method, path, view in PAGES:
        routes.append(Route(f"/ui/{{namespace}}/{path}", site.endpoint(view), methods=[method]))
    if access is not None:
        routes += login_routes(site, access, public_url)
    return [*routes, Route("/ui/{rest:path}", site.nothing)]
