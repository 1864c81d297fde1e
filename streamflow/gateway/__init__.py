"""The HTTP API: every client operation for those who have no log of their own (other processes, other languages, `curl`).

`routes` says which there are, `operations` what each does, `openapi` describes them, `application` puts them together
with the guards, and `server` runs it. Words and bodies are `streamflow.client.http.api_v1`'s.
"""

from __future__ import annotations

from streamflow.gateway.application import application
from streamflow.gateway.server import Gateway

__all__ = ["Gateway", "application"]
