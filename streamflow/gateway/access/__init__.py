"""Who may what: tokens and logins say who somebody is, grants what they may do, and an audit log what they did.

    Authorization header or session cookie --identify--> Principal --guarded--> Transport
                                                             |
                                            audit (every command that changes something)

`guarded` is the one place that refuses: the API and the pages both reach a log through it and in no other way.
"""

from __future__ import annotations

from streamflow.gateway.access.audit import Audit
from streamflow.gateway.access.guarded import GuardedTransport
from streamflow.gateway.access.identify import Access
from streamflow.gateway.access.roles import EVERYBODY, Grant, Principal, Role
from streamflow.gateway.access.settings import (
    AccessError,
    AccessSettings,
    load_access,
    without_login,
)

__all__ = [
    "EVERYBODY",
    "Access",
    "AccessError",
    "AccessSettings",
    "Audit",
    "Grant",
    "GuardedTransport",
    "Principal",
    "Role",
    "load_access",
    "without_login",
]
