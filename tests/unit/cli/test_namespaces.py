"""``streamflow namespace``: made, listed, shown, deleted."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.embedded import EmbeddedLog
from streamflow.visibility.binding import bind
from streamflow.visibility.catalog import Catalog
from streamflow.visibility.parsing import parse
from streamflow.visibility.store import Store
from tests.unit.cli.through import gateway_on
from tests.unit.embedded.member import Member
from tests.unit.visibility.fleet import filled
from tests.unit.visibility.fleet import run as listed


def test_namespaces_are_made_and_seen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Making one again changes its notes; one that is not there is not found."""
    at = ["--address", f"embedded:{tmp_path / 'log'}"]
    for description in ("first", "the shop"):
        made = run(["namespace", "create", "shop", "--description", description, "--dev", *at])
        assert made == ExitCode.OK
    assert run(["topology", "apply", "-n", "shop", "-q", "orders", "--dev", *at]) == ExitCode.OK
    capsys.readouterr()

    assert run(["namespace", "list", "-o", "json", *at]) == ExitCode.OK
    assert json.loads(capsys.readouterr().out) == [
        {"namespace": "shop", "queues": 1, "description": "the shop"}
    ]
    assert run(["namespace", "describe", "shop", "-o", "json", *at]) == ExitCode.OK
    shown = json.loads(capsys.readouterr().out)
    assert shown["queues"] == {"orders": "workflow, 12 partitions"}
    assert "shop.settings" in shown["topics"]

    assert run(["namespace", "describe", "nowhere", *at]) == ExitCode.NOT_FOUND
    assert "streamflow namespace create nowhere" in capsys.readouterr().err
    assert run(["namespace", "create", "Not Allowed", *at]) == ExitCode.USAGE


def test_a_gateway_says_the_same_of_those_that_it_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are made, described and changed through it; what it does not serve is not there, and nothing is deleted."""
    direct = ["--address", f"embedded:{tmp_path / 'log'}"]
    assert run(["namespace", "create", "other", "--dev", *direct]) == ExitCode.OK

    def shown(*words: str) -> Any:
        capsys.readouterr()
        assert run(["namespace", *words, "-o", "json"]) == ExitCode.OK
        return json.loads(capsys.readouterr().out)

    with gateway_on(tmp_path / "log", ["shop"]) as address:
        at = ["--address", address]
        assert shown("list", *at) == []
        assert run(["namespace", "describe", "shop", *at]) == ExitCode.NOT_FOUND
        assert "streamflow namespace create shop" in capsys.readouterr().err
        made = run(["namespace", "create", "shop", "--owner", "ada", "--dev", *at])
        assert made == ExitCode.OK
        assert run(["topology", "apply", "-n", "shop", "-q", "orders", "--dev", *direct]) == 0
        change = ["namespace", "update", "shop", "--open-workflows-max"]
        assert run([*change, "7", "--description", "the shop", *at]) == ExitCode.OK
        assert run([*change, "none", "-q", "orders", "--starts-per-second", "1.5", *at]) == 0
        assert run([*change, "1", "-q", "missing", *at]) == ExitCode.NOT_FOUND

        assert shown("list", *at) == [{"namespace": "shop", "queues": 1, "description": "the shop"}]
        found = shown("describe", "shop", *at)
        assert found == shown("describe", "shop", *direct)
        assert (found["owner"], found["open_workflows_max"]) == ("ada", 7)
        assert found["queue_quotas"] == {
            "orders": {"open_workflows_max": None, "starts_per_second": 1.5}
        }
        for words in (["describe", "other"], ["create", "other", "--dev"]):
            assert run(["namespace", *words, *at]) == ExitCode.NOT_FOUND
            assert "Expected one of the namespaces shop" in capsys.readouterr().err
        assert run(["namespace", "delete", "shop", "--yes", *at]) == ExitCode.USAGE
        assert "Expected the address of Kafka" in capsys.readouterr().err
    assert len(shown("list", *direct)) == 2


@pytest.fixture
def at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """An embedded log with two namespaces of one queue each."""
    words = ["--address", f"embedded:{tmp_path / 'log'}"]
    for name in ("shop", "default"):
        assert run(["namespace", "create", name, "--dev", *words]) == ExitCode.OK
        assert run(["topology", "apply", "-n", name, "-q", "orders", "--dev", *words]) == 0
    capsys.readouterr()
    return words


def _names(at: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert run(["namespace", "list", "-o", "json", *at]) == ExitCode.OK
    return [one["namespace"] for one in json.loads(capsys.readouterr().out)]


def test_a_namespace_is_deleted_when_its_name_is_typed_again(
    at: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any other answer, and none at all, deletes nothing; it is shown beforehand what would go."""
    for typed in ("yes\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert run(["namespace", "delete", "shop", *at]) == ExitCode.USAGE
        said = capsys.readouterr()
        assert "- delete shop.orders.history" in said.out
        assert "Nothing was deleted" in said.err
        assert _names(at, capsys) == ["default", "shop"]

    monkeypatch.setattr("sys.stdin", io.StringIO("shop\n"))
    assert run(["namespace", "delete", "shop", *at]) == ExitCode.OK
    assert "Namespace shop is gone." in capsys.readouterr().out
    assert _names(at, capsys) == ["default"]
    assert run(["namespace", "delete", "shop", *at]) == ExitCode.NOT_FOUND


def _quotas(at: list[str], capsys: pytest.CaptureFixture[str]) -> list[object]:
    capsys.readouterr()
    assert run(["namespace", "describe", "shop", "-o", "json", *at]) == ExitCode.OK
    shown = json.loads(capsys.readouterr().out)
    return [shown[key] for key in ("open_workflows_max", "starts_per_second", "queue_quotas")]


def test_quotas_are_set_seen_and_taken_back(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """What is not named stays as it is, also when the namespace is made again."""
    update = ["namespace", "update", "shop", *at]
    assert _quotas(at, capsys) == [None, None, {}]

    assert run([*update, "--open-workflows-max", "100", "--starts-per-second", "2.5"]) == 0
    assert run([*update, "-q", "orders", "--open-workflows-max", "7"]) == ExitCode.OK
    of_orders = {"orders": {"open_workflows_max": 7, "starts_per_second": None}}
    assert _quotas(at, capsys) == [100, 2.5, of_orders]

    assert run([*update, "--starts-per-second", "none", "--owner", "me"]) == ExitCode.OK
    assert run(["namespace", "create", "shop", "--description", "new", "--dev", *at]) == 0
    assert _quotas(at, capsys) == [100, None, of_orders]

    assert run([*update, "-q", "orders", "--open-workflows-max", "none"]) == ExitCode.OK
    assert _quotas(at, capsys) == [100, None, {}]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["shop", "--open-workflows-max", "2.5"], ExitCode.USAGE, "a whole number"),
        (["shop", "--starts-per-second", "nan"], ExitCode.USAGE, "or `none`"),
        (["shop", "--starts-per-second=-1"], ExitCode.USAGE, "found '-1'"),
        (["shop"], ExitCode.USAGE, "something to change"),
        (["shop", "-q", "orders", "--owner", "me"], ExitCode.USAGE, "for the queue"),
        (["shop", "-q", "nowhere", "--open-workflows-max", "1"], ExitCode.NOT_FOUND, "orders"),
        (["nowhere", "--open-workflows-max", "1"], ExitCode.NOT_FOUND, "namespace create"),
    ],
)
def test_quotas_that_make_no_sense_are_refused(
    at: list[str],
    words: list[str],
    code: ExitCode,
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before anything is written."""
    assert run(["namespace", "update", *words, *at]) == code
    assert said in capsys.readouterr().err
    assert _quotas(at, capsys) == [None, None, {}]


def test_the_default_namespace_takes_yes(
    at: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its name typed again is not enough."""
    monkeypatch.setattr("sys.stdin", io.StringIO("default\n"))
    assert run(["namespace", "delete", "default", *at]) == ExitCode.USAGE
    assert "--yes" in capsys.readouterr().err
    assert _names(at, capsys) == ["default", "shop"]

    assert run(["namespace", "delete", "default", "--yes", *at]) == ExitCode.OK
    assert _names(at, capsys) == ["shop"]


def test_local_state_and_lists_go_with_it(at: list[str], tmp_path: Path) -> None:
    """Of that namespace only; so do its rows in a store that is named."""
    state = tmp_path / "log" / "state"
    for name in ("shop", "default"):
        (state / name / "orders" / "pod").mkdir(parents=True)
        (state / f"visibility-{name}.sqlite").write_bytes(b"")
    url = f"sqlite:///{tmp_path / 'lists.sqlite'}"
    store = Store.open(url)
    for name in ("shop", "default"):
        filled(store, [listed(1)], namespace=name)
    store.close()

    assert run(["namespace", "delete", "shop", "--yes", "--visibility", url, *at]) == ExitCode.OK

    assert {path.name for path in state.iterdir()} == {"default", "visibility-default.sqlite"}
    store = Store.open(url)
    everything = bind(parse(""), Catalog({}), now_ms=0)
    assert store.count("shop", everything).count == 0
    assert store.positions_of("shop.executions") == {}
    assert store.count("default", everything).count == 1
    store.close()


def test_a_namespace_in_use_is_not_deleted(
    at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The refusal names who is at work."""
    log = EmbeddedLog.open(at[1].removeprefix("embedded:"))
    member = Member(log, "pod-7", "shop.orders.inbox", group="shop.orders.processor")

    assert run(["namespace", "delete", "shop", "--yes", *at]) == ExitCode.FAILED
    assert "shop.orders.processor: pod-7" in capsys.readouterr().err

    member.source.close()
    log.close()
    assert _names(at, capsys) == ["default", "shop"]
