"""What we did not write is what its makers published, with its licence beside it."""

from __future__ import annotations

import hashlib
from importlib import resources

STATIC = resources.files("streamflow.ui") / "static"
HTMX_4_0_1 = "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130"


def test_htmx_is_the_published_file() -> None:
    """Byte for byte `dist/htmx.min.js` of the npm package htmx.org 4.0.1."""
    content = (STATIC / "htmx.min.js").read_bytes()

    assert hashlib.sha256(content).hexdigest() == HTMX_4_0_1
    assert "Zero-Clause BSD" in (STATIC / "htmx.LICENSE.txt").read_text()
