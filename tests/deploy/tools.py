"""Programs that look at what is to be deployed: built once from their sources by Go, and kept by version outside the repository.

``python -m tests.deploy.tools`` builds what is missing, some minutes on a fresh machine.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.saying import say


class Tool(NamedTuple):
    package: str
    version: str


TOOLS = {
    "helm": Tool("helm.sh/helm/v3/cmd/helm", "v3.20.2"),
    # Knows the schemas of Kubernetes' own resources by release, and those of definitions that it is given.
    "kubectl-validate": Tool("sigs.k8s.io/kubectl-validate", "v0.0.4"),
    "compose": Tool("github.com/compose-spec/compose-go/v2/cmd", "v2.16.2"),
}


GO_MIN = (1, 25)
"""The oldest release of Go that all of them can be built with."""
GO_FETCHED = "go1.26.0"
"""What builds them where there is only an older one, which fetches it as it fetches any module."""


def home() -> Path:
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "streamflow" / "tools"


def path_of(name: str) -> Path:
    """Where the program is, or would be."""
    tool = TOOLS[name]
    return home() / f"{name}-{tool.version}" / tool.package.rpartition("/")[2]


def go() -> str:
    """A Go that is new enough: this machine's, or one that it fetches."""
    said = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"go(\d+)\.(\d+)", said)
    if found is not None and (int(found[1]), int(found[2])) >= GO_MIN:
        return "go"
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    module = f"golang.org/toolchain@v0.0.1-{GO_FETCHED}.{platform.system().lower()}-{machine}"
    told = subprocess.run(
        ["go", "mod", "download", "-json", module],
        capture_output=True,
        text=True,
        check=True,
        cwd=home(),
    ).stdout
    folder = Path(json.loads(told)["Dir"])
    for program in (*folder.glob("bin/*"), *folder.glob("pkg/tool/*/*")):
        program.chmod(0o755)  # a module's archive keeps no such rights
    return str(folder / "bin" / "go")


def install() -> int:
    home().mkdir(parents=True, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    for name, tool in TOOLS.items():
        path = path_of(name)
        if path.exists():
            continue
        say(f"Building {name} {tool.version} ...")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(
                [go(), "install", f"{tool.package}@{tool.version}"],
                env=environment | {"GOBIN": str(path.parent), "GOFLAGS": "-ldflags=-s"},
                check=True,
            )
        except (OSError, subprocess.CalledProcessError) as error:
            say(f"Expected to build {name} by Go, found: {error}. Install Go, then run this again.")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(install())
