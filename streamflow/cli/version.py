"""``streamflow version``"""

from __future__ import annotations

import platform
from importlib.metadata import version as version_of


def version() -> None:
    """Prints the versions of streamflow and of the Python that runs it."""
    print(f"streamflow {version_of('streamflow')} (Python {platform.python_version()})")
