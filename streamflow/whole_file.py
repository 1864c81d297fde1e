"""A file that is complete before it has its name, and on the disk before anybody is told of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

DRAFT_PREFIX = ".draft-"
"""Of files that a process left behind as it died; whoever lists a folder passes them over."""


def write_whole(path: Path, data: bytes) -> None:
    """Makes the folders that are missing. Raises OSError; then nothing has the name that had not before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=DRAFT_PREFIX)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
