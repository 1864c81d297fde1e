"""Looks at workflow code for what would not replay alike, without running it: ``streamflow check``.

`findings` says what there is to find, `scopes` which functions are workflow code, `names` what a name stands for, `rules`
what is wrong, `sources` where code is read from. It sees one file at a time.
"""

from __future__ import annotations

from streamflow.checking.findings import CODES, Finding
from streamflow.checking.sources import Unreadable, check_paths, check_source

__all__ = ["CODES", "Finding", "Unreadable", "check_paths", "check_source"]
