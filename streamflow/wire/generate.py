"""Writes ``schemas/`` from the Structs: ``python -m streamflow.wire.generate [--check | --release]``.

A schema that was released is never lost: when its Struct changes, the old file moves to ``old/`` of its area and stays
readable. ``--release`` marks what stands now as released; ``--check`` only says whether the files are current.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from fastavro.schema import fingerprint, to_parsing_canonical_form

from streamflow.wire import catalog, derive, public

FOLDER: Final = Path(__file__).resolve().parents[2] / "schemas"
INDEX: Final = "index.json"
RELEASED: Final = "released.json"


def generated() -> dict[str, str]:
    """Text of each file that follows from the code, by its path."""
    made = {
        f"{area}/{struct.__name__}.avsc": derive.schema_of(struct)
        for area, structs in catalog.AREAS.items()
        for struct in structs
    }
    for message in public.MESSAGES:
        made[f"public/{message.__name__}.v{public.VERSION}.avsc"] = derive.public_schema_of(message)
        made[f"public/{public.tag_of(message)}.v{public.VERSION}.json"] = json_schema_of(message)
    return {path: _text(schema) for path, schema in made.items()}


def json_schema_of(message: type[public.Message]) -> Any:
    """The JSON Schema of a public message, with the texts of its fields."""
    schema = msgspec.json.schema(message)
    for cls in (message, public.Retry):
        docs = derive.docs_of(cls)
        described = schema["$defs"].get(cls.__name__, {})
        for name, part in described.get("properties", {}).items():
            if docs.get(name):
                part["description"] = docs[name]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:streamflow:inbox:{public.tag_of(message)}:v{public.VERSION}",
        "title": f"{message.__name__}, version {public.VERSION}",
    }
    return head | schema


def fingerprint_of(schema: Any) -> str:
    """CRC-64-AVRO of the canonical form, as the eight bytes of single-object encoding in hex."""
    return fingerprint(to_parsing_canonical_form(schema), "CRC-64-AVRO")


def write(folder: Path = FOLDER, *, release: bool = False) -> None:
    """Brings the folder up to date; see the module's text for what becomes of old schemas."""
    released: dict[str, str] = _read(folder / RELEASED) if (folder / RELEASED).exists() else {}
    for path, text in generated().items():
        _replace(folder, path, text, released)
    index = index_of(folder)
    (folder / INDEX).write_text(_text(index))
    kept = released | index if release else released
    (folder / RELEASED).write_text(_text(dict(sorted(kept.items()))))


def index_of(folder: Path = FOLDER) -> dict[str, str]:
    """Path of each Avro schema by its fingerprint."""
    paths = sorted(folder.rglob("*.avsc"))
    return dict(
        sorted((fingerprint_of(_read(path)), path.relative_to(folder).as_posix()) for path in paths)
    )


def outdated(folder: Path = FOLDER) -> list[str]:
    """Paths of files that differ from what the code says."""
    expected = generated() | {INDEX: _text(index_of(folder))}
    return [
        path
        for path, text in expected.items()
        if not (folder / path).exists() or (folder / path).read_text() != text
    ]


def _replace(folder: Path, path: str, text: str, released: dict[str, str]) -> None:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.suffix == ".avsc":
        old = fingerprint_of(_read(file))
        if old in released and old != fingerprint_of(json.loads(text)):
            kept = file.parent / "old" / f"{file.stem}-{old}.avsc"
            kept.parent.mkdir(exist_ok=True)
            file.rename(kept)
            released[old] = kept.relative_to(folder).as_posix()
    file.write_text(text)


def _read(file: Path) -> Any:
    return json.loads(file.read_text())


def _text(schema: Any) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="streamflow.wire.generate", description="Writes schemas/")
    parser.add_argument(
        "--check", action="store_true", help="only say whether the files are current"
    )
    parser.add_argument(
        "--release", action="store_true", help="mark the present schemas as released"
    )
    options = parser.parse_args(arguments)
    if not options.check:
        write(release=options.release)
    stale = outdated()
    for path in stale:
        sys.stderr.write(f"schemas/{path} is not current; run `make schemas`\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
