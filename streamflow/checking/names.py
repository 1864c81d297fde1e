"""What a name in a file stands for: ``dt.now`` is ``datetime.datetime.now`` after ``from datetime import datetime as dt``."""

from __future__ import annotations

import ast
from collections.abc import Mapping

PACKAGES = ("streamflow", "temporalio")
"""Both names of the API count: code is also checked before it is ported."""


def imports_of(tree: ast.AST) -> dict[str, str]:
    """The full name of each name that the file imports, wherever it does."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                found[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    return found


def full_name(node: ast.expr, imports: Mapping[str, str]) -> str | None:
    """The dotted name that an expression stands for; ``None`` for what is not imported."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in imports:
        return None
    return ".".join([imports[node.id], *reversed(parts)])


def api_name(node: ast.expr, imports: Mapping[str, str]) -> str | None:
    """The name within the API, as ``workflow.sleep``; ``None`` for everything else."""
    name = full_name(node, imports)
    package, _, rest = (name or "").partition(".")
    return rest if package in PACKAGES else None
