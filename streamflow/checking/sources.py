"""Reads code, asks the rules, and leaves out what its authors allow: ``# streamflow: allow SF001`` on the line, or above the file's first code."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path

from streamflow.checking import rules
from streamflow.checking.findings import CODES, Finding
from streamflow.checking.names import imports_of
from streamflow.checking.scopes import workflow_classes, workflow_code

_ALLOW = re.compile(r"#\s*streamflow:\s*allow\s+(?P<codes>[A-Z0-9, ]+)")
FILES_MAX = 20_000
FILE_BYTES_MAX = 5_000_000
_SKIPPED = frozenset({"__pycache__", "node_modules", "site-packages"})


class Unreadable(ValueError):
    """A file is no Python, or there is no such file."""


def check_paths(paths: Iterable[Path]) -> list[Finding]:
    """Findings of these files, and of all Python files in these folders, in order.

    Raises:
        Unreadable: a path is not there, or is no Python.
    """
    findings: list[Finding] = []
    for count, path in enumerate(_files(paths), start=1):
        if count > FILES_MAX:
            raise Unreadable(f"Expected at most {FILES_MAX} files, found more; check fewer folders")
        findings.extend(check_source(_text(path), str(path)))
    return sorted(findings)


def check_source(source: str, path: str = "<source>") -> list[Finding]:
    """Findings of one file's text, in order. A file without workflows has none.

    Raises:
        Unreadable: it is no Python.
    """
    try:
        tree = ast.parse(source, path)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None) or 1
        raise Unreadable(f"Expected Python in {path}, found at line {line}: {error}") from error
    imports = imports_of(tree)
    classes = workflow_classes(tree, imports)
    if not classes:
        return []
    allowed, everywhere = _allowed(source)
    found = [
        Finding(path, getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1, code, message)
        for node, code, message in _all(tree, imports)
        if code not in everywhere and not _is_allowed(node, code, allowed)
    ]
    return sorted(set(found))


def _all(tree: ast.Module, imports: dict[str, str]) -> Iterator[rules.Found]:
    classes = workflow_classes(tree, imports)
    yield from rules.of_module(tree, imports)
    for cls in classes:
        yield from rules.of_class(cls, imports)
    for function in workflow_code(tree, classes, imports):
        yield from rules.of_function(function, imports)


def _is_allowed(node: ast.AST, code: str, allowed: dict[int, frozenset[str]]) -> bool:
    """Whether a line of the node's, or the line above its first, allows it."""
    first = getattr(node, "lineno", 1)
    last = getattr(node, "end_lineno", None) or first
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ExceptHandler):
        last = first
    return any(code in allowed.get(line, ()) for line in range(first - 1, last + 1))


def _allowed(source: str) -> tuple[dict[int, frozenset[str]], frozenset[str]]:
    """Codes that comments allow: by line, and those that stand before any code, for all of the file."""
    by_line: dict[int, frozenset[str]] = {}
    everywhere: set[str] = set()
    before_code = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            match = _ALLOW.search(token.string)
            if match is None:
                continue
            codes = frozenset(re.findall(r"SF\d{3}", match["codes"])) & CODES.keys()
            if before_code:
                everywhere |= codes
            else:
                by_line[token.start[0]] = codes
        elif token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.ENCODING, tokenize.STRING):
            before_code = False
    return by_line, frozenset(everywhere)


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            for file in sorted(path.rglob("*.py")):
                parts = file.relative_to(path).parts
                if not any(part in _SKIPPED or part.startswith(".") for part in parts):
                    yield file
        elif path.exists():
            yield path
        else:
            raise Unreadable(f"Expected a file or folder, found none at {path}")


def _text(path: Path) -> str:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise Unreadable(f"Expected at most {FILE_BYTES_MAX} bytes in {path}, found more")
    try:
        with tokenize.open(path) as file:
            return file.read()
    except (SyntaxError, UnicodeDecodeError) as error:
        raise Unreadable(f"Expected Python in {path}, found: {error}") from error
