"""Who changed what through a gateway, in ``{ns}.audit``: written for each attempt, found again newest first.

Entries are written by `streamflow.gateway.access`; the topic's retention alone takes them away.
"""

from streamflow.audit.reading import Filter, Found, Page, newest
from streamflow.audit.writing import AuditTopic

__all__ = ["AuditTopic", "Filter", "Found", "Page", "newest"]
