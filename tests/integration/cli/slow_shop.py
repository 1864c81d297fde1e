"""The shop with an object store that answers only once a file is there, so that its restores wait: `...slow_shop:app`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from streamflow.app import App
from tests.integration.cli.shop import QUEUE, Greet, compose

GATE = "SLOW_SHOP_GATE"
"""Names the file in the environment."""


class Sluggish:
    """A `streamflow.ports.Objects` with nothing in it."""

    def names(self, prefix: str) -> list[str]:
        while not Path(os.environ[GATE]).exists():
            time.sleep(0.05)
        return []

    def get(self, name: str) -> bytes | None:
        return None

    def put(self, name: str, data: bytes) -> None: ...

    def delete(self, names: Sequence[str]) -> None: ...


app = App(QUEUE, workflows=[Greet], activities=[compose], snapshots=Sluggish())
