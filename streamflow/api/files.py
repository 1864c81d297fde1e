"""The names of the files that a protobuf compiler makes: programs import messages from them, too."""

from __future__ import annotations

import sys


def also_in(package: str, *files: str) -> None:
    """Lets `PACKAGE.FILE` be imported: it is the package itself."""
    module = sys.modules[package]
    for file in files:
        sys.modules[f"{package}.{file}"] = module
        setattr(module, file, module)
