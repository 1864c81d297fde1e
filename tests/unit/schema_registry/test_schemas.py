"""``streamflow schemas``, against a registry that speaks the documented HTTP API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from streamflow.cli.operating.schemas import check, register
from streamflow.cli.shared.exits import CommandError
from streamflow.schema_registry import connection, subjects
from tests.unit.schema_registry.server import SchemaRegistry, schema_registry

OURS = subjects("n", ["orders", "bills & more"])
SOME = OURS[0]


@pytest.fixture
def registry() -> Iterator[SchemaRegistry]:
    with schema_registry() as registry:
        yield registry


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


QUEUES = ["orders", "bills & more"]


def test_subjects_are_topics_with_records_of_the_names_that_they_are_in() -> None:
    names = {subject.name for subject in OURS}

    assert len(names) == len(OURS)
    assert {
        "n.orders.inbox-io.streamflow.commands.v1.StartWorkflow",
        "n.orders.inbox-io.streamflow.public.v1.Start",
        "n.bills_20_26_20more.history-io.streamflow.history.v1.Activated",
        "n.executions-io.streamflow.executions.v1.ExecutionSummary",
        "n.settings-io.streamflow.settings.v1.NamespaceEntry",
    } <= names


def test_a_namespace_without_queues_has_its_own_topics_only() -> None:
    topics = {subject.name.partition("-")[0] for subject in subjects("n", [])}

    assert {"n.executions", "n.queues", "n.replies", "n.settings"} <= topics
    assert not any(topic.endswith((".inbox", ".history", ".activities")) for topic in topics)


def test_what_is_new_is_registered_and_then_there(
    registry: SchemaRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(registry=registry.url, namespace="n", queue=QUEUES, output="json") == 0
    before = rows(capsys)
    assert register(registry=registry.url, namespace="n", queue=QUEUES, output="json") == 0
    registered = rows(capsys)
    assert check(registry=registry.url, namespace="n", queue=QUEUES, output="json") == 0
    after = rows(capsys)

    assert {row["state"] for row in before} == {"new"}
    assert len(registered) == len(OURS)
    assert {row["state"] for row in after} == {"registered"}
    assert [row["id"] for row in after] == [row["id"] for row in registered]
    assert registry.subjects.keys() == {subject.name for subject in OURS}


def test_a_check_changes_nothing(registry: SchemaRegistry) -> None:
    check(registry=registry.url, namespace="n")

    assert registry.subjects == {}


def test_one_that_may_follow_its_former_version_does(
    registry: SchemaRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    older = json.loads(SOME.schema)
    older["fields"] = older["fields"][:-1] if "default" in older["fields"][-1] else older["fields"]
    older["doc"] = "of an earlier release"
    registry.put(SOME.name, older)

    check(registry=registry.url, namespace="n", queue=QUEUES, output="json")
    [before] = [row for row in rows(capsys) if row["subject"] == SOME.name]
    register(registry=registry.url, namespace="n", queue=QUEUES, output="json")

    assert before["state"] == "compatible"
    assert len(registry.subjects[SOME.name]) == 2


def test_one_that_does_not_fit_is_named_and_nothing_is_registered(
    registry: SchemaRegistry, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = {"type": "record", "name": json.loads(SOME.schema)["name"], "fields": []}
    registry.put(SOME.name, foreign)

    assert check(registry=registry.url, namespace="n", queue=QUEUES, output="json") == 1
    [row] = [row for row in rows(capsys) if row["state"] == "incompatible"]
    with pytest.raises(CommandError, match="registered none") as refused:
        register(registry=registry.url, namespace="n", queue=QUEUES)

    assert row["subject"] == SOME.name
    assert "READER_FIELD_MISSING_DEFAULT_VALUE" in row["why"]
    assert SOME.name in str(refused.value)
    assert registry.subjects.keys() == {SOME.name}


def test_a_busy_registry_is_asked_again(
    registry: SchemaRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PAUSE_S", 0.01)
    registry.busy = connection.ATTEMPTS - 1

    assert check(registry=registry.url, namespace="n", output="json") == 0


def test_one_that_stays_busy_is_given_up(
    registry: SchemaRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PAUSE_S", 0.01)
    registry.busy = 1_000

    with pytest.raises(CommandError, match="503: busy"):
        check(registry=registry.url, namespace="n")

    assert len(registry.asked) == connection.ATTEMPTS


def test_user_and_password_come_from_the_environment(
    registry: SchemaRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.wants = "me:secret word"
    with pytest.raises(CommandError, match="STREAMFLOW_SCHEMA_REGISTRY_PASSWORD"):
        check(registry=registry.url, namespace="n")

    monkeypatch.setenv("STREAMFLOW_SCHEMA_REGISTRY", registry.url)
    monkeypatch.setenv("STREAMFLOW_SCHEMA_REGISTRY_USER", "me")
    monkeypatch.setenv("STREAMFLOW_SCHEMA_REGISTRY_PASSWORD", "secret word")

    assert check(namespace="n", output="json") == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (None, "Give --registry URL"),
        ("registry:8081", "as http://registry:8081"),
        ("ftp://registry", "as http://registry:8081"),
        ("http://me:secret@registry", "without user and password"),
        ("http://127.0.0.1:1", "Check the address"),
    ],
)
def test_an_address_that_is_none_is_told_so(
    url: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "PAUSE_S", 0.01)
    monkeypatch.delenv("STREAMFLOW_SCHEMA_REGISTRY", raising=False)

    with pytest.raises(CommandError, match=said) as refused:
        check(registry=url, namespace="n")

    assert "secret" not in str(refused.value)


def test_another_place_of_the_api_is_told_so(registry: SchemaRegistry) -> None:
    """Apicurio has it below a path; without it there is a 404 that says nothing of subjects."""
    with pytest.raises(CommandError, match="/apis/ccompat/v7"):
        check(registry=f"{registry.url}/elsewhere", namespace="n")


def test_bad_names_are_refused_before_anything_is_asked(registry: SchemaRegistry) -> None:
    with pytest.raises(CommandError, match="namespace"):
        check(registry=registry.url, namespace="Not One")

    assert registry.asked == []
