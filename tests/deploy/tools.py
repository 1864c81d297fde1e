"""Programs that look at what is to be deployed: built once from their sources by Go, and kept by version outside the repository.

``python -m tests.deploy.tools`` builds what is missing, some minutes on a fresh machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.saying import say


class Tool(NamedTuple):
    package: str
    version: str
    go: str
    """The release of Go that it asks for at least."""


TOOLS = {
    "helm": Tool("helm.sh/helm/v3/cmd/helm", "v3.20.2", "1.25"),
    # Knows the schemas of Kubernetes' own resources by release, and those of definitions that it is given.
    "kubectl-validate": Tool("sigs.k8s.io/kubectl-validate", "v0.0.4", "1.22"),
    "compose": Tool("github.com/compose-spec/compose-go/v2/cmd", "v2.16.2", "1.24"),
}


def home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "streamflow" / "tools"


def path_of(name: str) -> Path:
    """Where the program is, or would be."""
    tool = TOOLS[name]
    return home() / f"{name}-{tool.version}" / tool.package.rpartition("/")[2]


def install() -> int:
    for name, tool in TOOLS.items():
        path = path_of(name)
        if path.exists():
            continue
        say(f"Building {name} {tool.version} ...")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(
                ["go", "install", f"{tool.package}@{tool.version}"],
                env=os.environ | {"GOBIN": str(path.parent), "GOFLAGS": "-ldflags=-s"},
                check=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            say(
                f"Expected to build {name} by Go {tool.go} or later, found: {error}. Install Go, then run this again."
            )
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(install())
