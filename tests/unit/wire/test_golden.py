"""Bytes once released mean the same for ever."""

from __future__ import annotations

import json
from typing import Any

import pytest

from streamflow.wire import catalog, codec, generate
from streamflow.wire.files import read_data
from tests.golden import samples

GOLDEN: dict[str, Any] = json.loads(samples.GOLDEN.read_text())


@pytest.mark.parametrize("fingerprint", sorted(GOLDEN), ids=lambda mark: GOLDEN[mark]["schema"])
def test_golden_bytes_decode_to_the_same_fact(fingerprint: str) -> None:
    """Each recorded value still says what it said when it was recorded; fields added since are no matter."""
    for sample in GOLDEN[fingerprint]["samples"]:
        said = samples.plain(codec.decode(bytes.fromhex(sample["hex"])))
        assert _without_newer_fields(said, sample["fact"]) == sample["fact"]


def _without_newer_fields(said: Any, golden: Any) -> Any:
    if isinstance(said, dict) and isinstance(golden, dict):
        return {
            name: _without_newer_fields(said[name], golden[name]) for name in golden if name in said
        }
    if isinstance(said, list) and isinstance(golden, list):
        return [_without_newer_fields(one, other) for one, other in zip(said, golden, strict=True)]
    return said


@pytest.mark.parametrize("cls", catalog.AREA_OF, ids=lambda cls: cls.__name__)
def test_what_is_written_today_is_golden(cls: Any) -> None:
    """Every fact has golden bytes, and is still written so (`make schemas` after a change of an unreleased schema)."""
    full, sparse = samples.full(cls), samples.sparse(cls)
    value = samples.written(full)

    golden = GOLDEN[value[2:10].hex()]["samples"]

    assert [sample["hex"] for sample in golden] == [value.hex(), samples.written(sparse).hex()]


def test_committed_schemas_are_current() -> None:
    """`make schemas` would change nothing."""
    assert generate.outdated() == []


def test_released_schemas_stay_readable() -> None:
    """Each schema ever released is still there, under its fingerprint, with golden bytes."""
    released = json.loads(read_data("schemas", "released.json"))
    index = json.loads(read_data("schemas", "index.json"))

    assert set(released) <= set(index)
    assert {mark for mark, path in released.items() if not path.startswith("public/")} <= set(
        GOLDEN
    )


def test_a_changed_schema_keeps_its_released_form(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Generating after a change moves the released file to `old/` and indexes both."""
    generate.write(tmp_path, release=True)
    path = "history/Deleting.avsc"
    before = generate.fingerprint_of(json.loads((tmp_path / path).read_text()))
    document = json.loads((tmp_path / path).read_text())
    document["fields"].append({"name": "why", "type": "string", "default": ""})
    changed = generate.generated() | {path: json.dumps(document, indent=2) + "\n"}
    monkeypatch.setattr(generate, "generated", lambda: changed)

    generate.write(tmp_path)

    index = json.loads((tmp_path / "index.json").read_text())
    assert index[before] == f"history/old/Deleting-{before}.avsc"
    assert path in index.values()
    assert json.loads((tmp_path / "released.json").read_text())[before] == index[before]
