"""The web UI: which workflows there are, what one of them is doing and why, and an operator's hand on it.

    browser --/ui/...--> routes --> executions, execution, actions, ... --> Client
                                         |
                                    templates, static

Pages are made on the server and work without scripts; with them the part marked `live` is fetched again every few seconds.
Everything that is shown or done goes through a `Client`, so what the UI can do, the API and the commands can as well.
Nothing is kept here: an address names all there is to a page.
"""

from __future__ import annotations

from streamflow.ui.replaying import replay_routes
from streamflow.ui.routes import ui_routes

__all__ = ["replay_routes", "ui_routes"]
