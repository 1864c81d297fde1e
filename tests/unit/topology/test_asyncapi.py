"""The AsyncAPI document says what topology/ and schemas/ say, and what it refers to is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from streamflow.topology import asyncapi
from streamflow.topology.declarations import roles, topics_file
from streamflow.wire.generate import FOLDER

DOCUMENT: dict[str, Any] = json.loads((FOLDER / asyncapi.FILE).read_text())


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for inner in value.values():
                yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)
        case _:
            return


def test_it_is_current() -> None:
    """If not: `make schemas`."""
    assert (FOLDER / asyncapi.FILE).read_text() == asyncapi.text()


def test_an_old_one_is_noticed(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asyncapi, "FOLDER", tmp_path)
    missing = asyncapi.main(["--check"])
    written = asyncapi.main([])
    current = asyncapi.main(["--check"])
    (tmp_path / asyncapi.FILE).write_text("{}")

    assert (missing, written, current, asyncapi.main(["--check"])) == (1, 0, 0, 1)
    assert "streamflow.topology.asyncapi" in capsys.readouterr().err


def test_everything_that_it_refers_to_is_there() -> None:
    references = list(_references(DOCUMENT))
    assert len(references) > 100
    for reference in references:
        if reference.startswith("./"):
            assert (FOLDER / reference).exists(), reference
            continue
        found = DOCUMENT
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


def test_every_topic_is_a_channel_with_its_records_and_bounds() -> None:
    channels = DOCUMENT["channels"]
    assert channels.keys() == topics_file().topics.keys()
    for name, topic in topics_file().topics.items():
        areas = {message.partition(".")[0] for message in channels[name]["messages"]}
        assert areas == set(topic.schemas)
        assert {f"{{{one}}}" in topic.name for one in channels[name]["parameters"]} == {True}
    inbox = channels["inbox"]["bindings"]["kafka"]["topicConfiguration"]
    assert inbox["retention.ms"] == 30 * 86_400_000
    assert inbox["cleanup.policy"] == ["delete"]


def test_every_topic_that_a_process_of_ours_reads_or_writes_is_an_operation() -> None:
    for role in ("processor", "worker"):
        declared = roles()[role]
        said = {
            action: {
                name.rpartition(".")[2] for name in DOCUMENT["operations"] if name.startswith(f"{role}.{action}.")
            }
            for action in ("send", "receive")
        }  # fmt: skip
        assert said["send"] == {*declared.in_transaction, *declared.beside}
        assert said["receive"] == {
            *declared.consumes, *declared.restores_from, *declared.tails, *declared.reads,
        }  # fmt: skip
