"""A running engine behind the API, as the tests of the UI have it."""

from __future__ import annotations

from tests.ui.conftest import stage

__all__ = ["stage"]
