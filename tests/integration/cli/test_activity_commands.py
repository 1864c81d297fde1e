"""`streamflow activity ...` as processes, and the route of the API behind them, against a running dev."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.integration.cli.processes import PATIENCE_S, Dev, Shell
from tests.integration.cli.shop import QUEUE

pytestmark = pytest.mark.timeout(240)  # dozens of processes, each of which starts Python


@pytest.fixture
def shell(served: tuple[Shell, Dev]) -> Shell:
    return served[0]


@pytest.fixture(scope="module")
def api(served: tuple[Shell, Dev]) -> Iterator[httpx.Client]:
    """The default namespace. What is not to be tested goes this way, without processes."""
    base = f"{served[1].address}/api/v1/namespaces/default"
    with httpx.Client(base_url=base, timeout=20) as http:
        yield http


def activity(shell: Shell, *words: str) -> None:
    """Says nothing when it has done it."""
    done = shell.run("activity", *words)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def start(api: httpx.Client, workflow_type: str, id: str) -> None:
    body = {"workflow_id": id, "workflow_type": workflow_type, "queue": QUEUE}
    assert api.post("/workflows", json=body).status_code == 200


def end(api: httpx.Client, id: str) -> None:
    assert api.post(f"/workflows/{id}/terminate", json={}).status_code == 200


def pending(api: httpx.Client, id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The workflow's one activity, once this holds of it."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        for one in api.get(f"/workflows/{id}").json()["pending_activities"]:
            found: dict[str, Any] = one
            if holds(found):
                return found
    raise AssertionError(
        f"Expected it to become true of the activity of {id}, found that it did not"
    )


@pytest.mark.parametrize("meant", [("-a", "1"), ("--type", "fail_for_ever")])
def test_an_activity_is_paused_unpaused_and_reset(
    shell: Shell, api: httpx.Client, meant: tuple[str, str]
) -> None:
    """By its ID or with all of its type."""
    id = f"stubborn{meant[0]}"
    start(api, "Stubborn", id)
    pending(api, id, lambda one: one["attempt"] >= 2)

    activity(shell, "pause", id, *meant, "--reason", "let it rest")
    paused = pending(api, id, lambda one: "pause" in one["state"])
    activity(shell, "unpause", id, *meant)
    going_on = pending(api, id, lambda one: one["attempt"] > paused["attempt"])
    activity(shell, "reset", id, *meant, "--reset-heartbeat")
    anew = pending(api, id, lambda one: one["attempt"] < going_on["attempt"])

    assert "pause" not in going_on["state"]
    assert "pause" not in anew["state"]
    end(api, id)


def test_what_is_paused_may_stay_so_and_may_begin_anew(shell: Shell, api: httpx.Client) -> None:
    """A reset leaves it paused if it is told to, and an unpausing counts its attempts anew if it is told to."""
    for id in ("stays", "begins"):
        start(api, "Stubborn", id)
        pending(api, id, lambda one: one["attempt"] >= 3)
        activity(shell, "pause", id, "-a", "1")
    paused = pending(api, "begins", lambda one: "pause" in one["state"])

    activity(shell, "reset", "stays", "-a", "1", "--keep-paused")
    activity(shell, "unpause", "begins", "-a", "1", "--reset-attempts")

    still = pending(api, "stays", lambda one: one["attempt"] == 1)
    assert "pause" in still["state"]
    anew = pending(api, "begins", lambda one: one["attempt"] < paused["attempt"])
    assert "pause" not in anew["state"]
    end(api, "stays")
    end(api, "begins")


def test_options_of_an_activity_are_changed_and_taken_back(shell: Shell, api: httpx.Client) -> None:
    """Each time all are shown as they are then."""
    start(api, "AsksOutside", "asks-longer")
    pending(api, "asks-longer", lambda one: one["state"] == "started")
    meant = ["activity", "update-options", "asks-longer", "-a", "answer", "-o", "json"]

    changed = shell.run(*meant, "--start-to-close-timeout", "900", "--retry-maximum-attempts", "9")
    restored = shell.run(*meant, "--restore")

    now, then = json.loads(changed.stdout), json.loads(restored.stdout)
    assert (now["start_to_close_timeout_s"], now["retry_maximum_attempts"]) == (900, 9)
    assert then["start_to_close_timeout_s"] != 900
    assert then["task_queue"] == now["task_queue"] == QUEUE
    end(api, "asks-longer")


def test_an_activity_is_completed_from_outside(shell: Shell, api: httpx.Client) -> None:
    """With a result as JSON."""
    start(api, "AsksOutside", "asks")
    pending(api, "asks", lambda one: one["state"] == "started")

    activity(shell, "complete", "asks", "answer", "-i", '{"to": 42}')

    done = shell.run("workflow", "result", "asks", "-o", "json")
    assert json.loads(done.stdout) == {"to": 42}


def test_an_activity_is_failed_from_outside(shell: Shell, api: httpx.Client) -> None:
    """Its retry policy decides about another attempt, unless the failure says that there is to be none."""
    start(api, "AsksOutside", "asks-twice")
    pending(api, "asks-twice", lambda one: one["state"] == "started")

    activity(shell, "fail", "asks-twice", "answer", "--reason", "not today")
    second = pending(api, "asks-twice", lambda one: one["attempt"] == 2)
    failing = ["--reason", "never", "--type", "Final", "--non-retryable"]
    activity(shell, "fail", "asks-twice", "answer", *failing)

    assert second["last_failure"]["message"] == "not today"
    done = shell.run("workflow", "result", "asks-twice", "-o", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"][-1].endswith("never")


def test_the_api_controls_activities(api: httpx.Client) -> None:
    """What the commands use, as any program may; what it cannot do is a problem with a reason."""
    start(api, "Stubborn", "by-hand")
    pending(api, "by-hand", lambda one: one["attempt"] >= 3)
    path = "/workflows/by-hand/activities/control"

    done = api.post(path, json={"control": "pause", "activity_id": "1", "reason": "by hand"})
    paused = pending(api, "by-hand", lambda one: "pause" in one["state"])
    by_type = {"control": "unpause", "activity_type": "fail_for_ever", "reset_attempts": True}
    assert api.post(path, json=by_type).status_code == 200
    anew = pending(api, "by-hand", lambda one: one["attempt"] < paused["attempt"])

    assert done.status_code == 200
    assert "pause" not in anew["state"]
    missing = api.post(path, json={"control": "pause", "activity_id": "7"})
    assert missing.status_code == 404
    assert "7" in missing.json()["detail"]
    unknown = api.post(path, json={"control": "stroke", "activity_id": "1"})
    assert unknown.status_code == 400
    assert "stroke" in unknown.json()["detail"]
    nobody = api.post(
        "/workflows/nobody/activities/control", json={"control": "reset", "activity_id": "1"}
    )
    assert nobody.status_code == 404
    end(api, "by-hand")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["pause", "nobody"], 2, "either --activity-id or --type"),
        (["pause", "nobody", "-a", "1", "--type", "compose"], 2, "either --activity-id or --type"),
        (["pause", "open", "-a", "7"], 3, "7"),
        (["reset", "nobody", "-a", "1"], 3, "nobody"),
        (["update-options", "nobody", "-a", "1"], 2, "an option to change"),
        (["update-options", "--type", "t", "--restore"], 2, "either --activity-id"),
        (["update-options", "-a", "nobody", "--restore"], 3, "nobody"),
        (["complete", "open", "7", "-i", "1"], 3, "7"),
        (["complete", "nobody", "7", "-i", "1", "-i", "2"], 2, "found 2"),
        (["fail", "nobody", "1", "--reason", "no"], 3, "nobody"),
    ],
)
def test_every_mistake_has_its_exit_code(
    shell: Shell, api: httpx.Client, words: list[str], code: int, said: str
) -> None:
    """Used wrongly is 2, not found 3, in one line without a stack."""
    if "open" in words:
        start(api, "AsksOutside", "open")

    done = shell.run("activity", *words)

    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert done.stderr.startswith("streamflow: ")
    assert "Traceback" not in done.stderr
    if "open" in words:
        end(api, "open")
