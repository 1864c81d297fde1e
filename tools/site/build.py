"""Gathers the pages of the site in build/docs: those of docs/, and the reference, made from the docstrings.

mkdocstrings could make the reference too; it brings MkDocs and some twenty packages with it, for what a page of code does.
Names are those that a module exports (`__all__`), under the module that users import them from.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "build" / "docs"
MODULES = (
    "app",
    "workflow",
    "activity",
    "client",
    "worker",
    "common",
    "converter",
    "exceptions",
    "testing",
    "envconfig",
    "runtime",
    "service",
    "contrib.pydantic",
    "contrib.opentelemetry",
)


def main() -> int:
    shutil.rmtree(DOCS, ignore_errors=True)
    shutil.copytree(ROOT / "docs", DOCS)
    package = griffe.load("streamflow", search_paths=[str(ROOT)], docstring_parser="google")
    (DOCS / "reference").mkdir()
    names: dict[str, int] = {}
    for name in MODULES:
        module = package[name]
        text, count = page(module)
        (DOCS / "reference" / f"{name}.md").write_text(text, encoding="utf-8")
        names[name] = count
    (DOCS / "reference" / "index.md").write_text(contents(package, names), encoding="utf-8")
    (DOCS / "adr" / "index.md").write_text(decisions(), encoding="utf-8")
    print(f"{sum(names.values())} names of {len(names)} modules are in the reference")
    empty = [name for name, count in names.items() if not count]
    if empty:
        print(f"Expected names in {', '.join(empty)}, found none", file=sys.stderr)
    return 1 if empty else 0


def contents(package: griffe.Module, names: dict[str, int]) -> str:
    rows = [
        f"| [`streamflow.{name}`]({name}.md) | {_first_line(package[name])} |" for name in names
    ]
    head = ["# Reference", "", "Made from the docstrings.", "", "| module | is |", "|---|---|"]
    return "\n".join([*head, *rows]) + "\n"


def decisions() -> str:
    """Every decision by its title, so that a new one needs no place in the navigation."""
    pages = sorted(path for path in (DOCS / "adr").glob("*.md") if path.name != "index.md")
    titles = [page.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ") for page in pages]
    rows = [f"- [{title}]({page.name})" for title, page in zip(titles, pages, strict=True)]
    return "\n".join(["# Decisions", "", "Each with its context and its cost.", "", *rows]) + "\n"


def page(module: griffe.Module) -> tuple[str, int]:
    """The page of a module, and how many names are on it."""
    parts = [f"# streamflow.{module.path.removeprefix('streamflow.')}", *_docstring(module)]
    count = 0
    for name, member in _public(module):
        found = list(_member(name, member))
        parts += found
        count += bool(found)
    return "\n\n".join(parts) + "\n", count


def _public(module: griffe.Module) -> Iterator[tuple[str, griffe.Object]]:
    exported = [str(name) for name in module.exports] if module.exports else None
    names = exported or [name for name in module.members if not name.startswith("_")]
    for name in names:
        member = module.members.get(name)
        try:
            target = member.final_target if member is not None and member.is_alias else member
        except griffe.GriffeError:
            continue  # of another library
        if target is None or target.is_module or not target.path.startswith("streamflow."):
            continue
        if exported is None and member is not None and member.is_alias:
            continue  # what a module without a list of its names imports is not its own
        yield name, target


def _member(name: str, member: griffe.Object) -> Iterator[str]:
    match member:
        case griffe.Class():
            yield f"## {name}"
            yield _code(_class_line(name, member))
            yield from _docstring(member)
            for inner, method in member.members.items():
                if not inner.startswith("_") and not method.is_alias:
                    yield from _inner(name, inner, method)
        case griffe.Function():
            yield f"## {name}"
            yield _code("\n".join(_signatures(name, member)))
            yield from _docstring(member)
        case griffe.Attribute():
            yield f"## {name}"
            yield _code(_attribute_line(name, member))
            yield from _docstring(member)


def _inner(owner: str, name: str, member: griffe.Object) -> Iterator[str]:
    match member:
        case griffe.Function():
            yield f"### {owner}.{name}"
            yield _code("\n".join(_signatures(name, member)))
            yield from _docstring(member)
        case griffe.Attribute() if member.docstring is not None or "property" in member.labels:
            yield f"### {owner}.{name}"
            yield _code(_attribute_line(name, member))
            yield from _docstring(member)


def _class_line(name: str, member: griffe.Class) -> str:
    bases = f"({', '.join(str(base) for base in member.bases)})" if member.bases else ""
    lines = [f"class {name}{bases}"]
    init = member.members.get("__init__")
    if isinstance(init, griffe.Function):
        lines += [line.replace("def __init__", name, 1) for line in _signatures("__init__", init)]
    return "\n".join(lines)


def _signatures(name: str, function: griffe.Function) -> list[str]:
    """One for each way of calling it: where there are overloads, the implementation's says nothing."""
    lines: list[str] = []
    for one in function.overloads or [function]:
        word = "async def" if "async" in one.labels else "def"
        parameters: list[str] = []
        starred = False
        for parameter in one.parameters:
            if parameter.name in ("self", "cls"):
                continue
            kind = parameter.kind
            if kind is griffe.ParameterKind.keyword_only and not starred:
                parameters.append("*")
                starred = True
            star = {
                griffe.ParameterKind.var_positional: "*",
                griffe.ParameterKind.var_keyword: "**",
            }.get(kind, "")
            starred = starred or star == "*"
            told = f"{star}{parameter.name}"
            if parameter.annotation is not None:
                told += f": {parameter.annotation}"
            if parameter.default is not None and not star:
                told += (
                    f" = {parameter.default}" if parameter.annotation else f"={parameter.default}"
                )
            parameters.append(told)
        returned = f" -> {one.returns}" if one.returns is not None and name != "__init__" else ""
        line = f"{word} {name}({', '.join(parameters)}){returned}"
        if len(line) > 100:
            line = f"{word} {name}(\n    " + ",\n    ".join(parameters) + f",\n){returned}"
        lines.append(line)
    return lines


def _attribute_line(name: str, member: griffe.Attribute) -> str:
    annotation = f": {member.annotation}" if member.annotation is not None else ""
    value = str(member.value) if member.value is not None else ""
    shown = f" = {value}" if value and len(value) <= 60 and "\n" not in value else ""
    return f"{name}{annotation}{shown}"


def _code(text: str) -> str:
    return f"```python\n{text}\n```"


def _docstring(member: griffe.Object) -> Iterator[str]:
    if member.docstring is None:
        return
    for section in member.docstring.parse("google", warnings=False):
        match section:
            case griffe.DocstringSectionText():
                yield _prose(section.value)
            case griffe.DocstringSectionAdmonition():
                yield f"**{section.title or section.value.kind}**"
                yield _prose(section.value.description)
            case griffe.DocstringSectionExamples():
                yield from (_prose(text) for _, text in section.value)
            case _ if isinstance(section.value, list):
                yield f"**{section.kind.value.capitalize()}**"
                yield "\n".join(_item(item) for item in section.value)


def _item(item: object) -> str:
    name = getattr(item, "name", None) or getattr(item, "annotation", "")
    text = " ".join(str(getattr(item, "description", "")).split())
    return f"- `{name}`: {text}" if name else f"- {text}"


def _prose(text: str) -> str:
    """Docstrings mark code with two backticks, and what follows `::` by indenting it: both are Markdown, once `::` is `:`."""
    return re.sub(r"::$", ":", text, flags=re.MULTILINE)


def _first_line(module: griffe.Module) -> str:
    text = module.docstring.value.strip() if module.docstring else ""
    return text.split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
