"""The web UI: which workflows there are, what one of them is doing and why, and an operator's hand on it.

    browser --/ui/...--> routes --> executions, execution, actions, ... --> Client
                                         |
                                    templates, static

Pages are made on the server and work without scripts; with them the part marked `live` is fetched again every few seconds.
Everything that is shown or done goes through a `Client`, so what the UI can do, the API and the commands can as well.
Nothing is kept here: an address names all there is to a page.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamflow.ui.replaying import replay_routes
    from streamflow.ui.routes import ui_routes

__all__ = ["replay_routes", "ui_routes"]

_HOMES = {"replay_routes": "streamflow.ui.replaying", "ui_routes": "streamflow.ui.routes"}


def __getattr__(name: str) -> Any:
    """Pages bring a web framework and a worker with them, which commands that only want a run's steps do without."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
