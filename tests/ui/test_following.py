"""A run's events as a stream, and requests that are sent twice, on a running engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from streamflow.gateway import application, following
from tests.ui.shop import QUEUE
from tests.ui.stage import Stage, until

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(120)]

WORKFLOWS = "/api/v1/namespaces/default/workflows"


class Message(dict[str, str]):
    """A server-sent event by the names of its lines."""

    @property
    def value(self) -> Any:
        return json.loads(self["data"])


async def messages(response: httpx.Response) -> AsyncIterator[Message]:
    found = Message()
    async for line in response.aiter_lines():
        if line:
            name, _, value = line.partition(": ")
            found[name] = value
        elif "event" in found:
            yield found
            found = Message()


async def test_a_run_is_followed_to_its_end(stage: Stage) -> None:
    """What is there at once, the rest as it comes; each under its number, and the end said."""
    handle = await stage.waiting("ship-1")
    seen: list[Message] = []
    async with stage.http.stream("GET", f"{WORKFLOWS}/ship-1/events") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        async for message in messages(response):
            seen.append(message)
            if message["event"] == "timer_started":
                await handle.signal("hand_over")

    assert [message.get("id") for message in seen[:-1]] == [
        str(n + 1) for n in range(len(seen) - 1)
    ]
    types = [message["event"] for message in seen]
    assert types[0] == "workflow_started"
    assert types.index("timer_started") < types.index("signal_received")
    assert types[-2:] == ["workflow_completed", "end"]
    assert seen[-1].value["closed"] is True
    history = (await stage.http.get(f"{WORKFLOWS}/ship-1/history")).json()["events"]
    assert [message.value for message in seen[:-1]] == history


async def test_a_stream_that_was_cut_goes_on_where_it_was(stage: Stage) -> None:
    """By what browsers send by themselves; a number that is none is refused before anything is streamed."""
    await stage.completed("ship-1")
    path = f"{WORKFLOWS}/ship-1/events"
    async with stage.http.stream("GET", path, headers={"last-event-id": "3"}) as response:
        seen = [message async for message in messages(response)]
    assert seen[0]["id"] == "4"
    async with stage.http.stream("GET", f"{path}?after_seq=5") as response:
        assert (await anext(messages(response)))["id"] == "6"
    wrong = await stage.http.get(path, headers={"last-event-id": "x"})
    assert (wrong.status_code, "Expected Last-Event-ID" in wrong.text) == (400, True)
    none = await stage.http.get(f"{WORKFLOWS}/none/events?queue={QUEUE}")
    assert (none.status_code, none.json()["code"]) == (404, "not_found")


async def test_a_stream_that_does_not_follow_ends_with_what_is_there(stage: Stage) -> None:
    """And says that the run goes on; one that is stuck says why."""
    await stage.stuck("broken-1")
    async with stage.http.stream("GET", f"{WORKFLOWS}/broken-1/events?follow=false") as response:
        seen = [message async for message in messages(response)]

    assert seen[-1].value["closed"] is False
    assert seen[-2]["event"] == "trouble"
    assert "no such colour" in seen[-2]["data"]


async def test_a_reader_that_goes_away_leaves_nothing_behind(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streams are counted, and there are not too many of them."""
    monkeypatch.setattr(following, "STREAMS_MAX", 1)
    await stage.waiting("ship-1")
    path = f"{WORKFLOWS}/ship-1/events"
    async with stage.http.stream("GET", path) as response:
        await anext(messages(response))
        refused = await stage.http.get(path)
        assert (refused.status_code, refused.json()["code"]) == (429, "rpc_resource_exhausted")
    await until(
        lambda: stage.http.get(f"{path}?follow=false"), lambda found: found.status_code == 200
    )


# -- keys ---------------------------------------------------------------------------------------------------------


def _start(workflow_id: str) -> dict[str, Any]:
    value = {"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "eyJ0byI6ICJBZGEifQ=="}
    return {"queue": QUEUE, "workflow_id": workflow_id, "workflow_type": "Ship", "args": [value]}


async def _keyed(stage: Stage, path: str, body: Any, key: str) -> httpx.Response:
    return await stage.http.post(path, json=body, headers={"idempotency-key": key})


async def test_a_request_with_a_key_is_done_once(stage: Stage) -> None:
    """A start that is sent again names the run that it made; a signal is in the history once."""
    first = await _keyed(stage, WORKFLOWS, _start("ship-1"), "1")
    again = await _keyed(stage, WORKFLOWS, _start("ship-1"), "1")
    assert first.status_code == 200
    assert again.json() == first.json()
    other = await _keyed(stage, WORKFLOWS, _start("ship-1"), "2")
    assert other.status_code == 409

    # The same key for another operation is another message.
    for _ in range(2):
        noted = await _keyed(
            stage, f"{WORKFLOWS}/ship-1/signal", {"signal_name": "note", "args": []}, "1"
        )
        assert noted.status_code == 200
    text = (await stage.http.get(f"{WORKFLOWS}/ship-1/history")).text
    assert text.count('"type":"signal_received"') == 1


async def test_a_key_with_another_body_is_a_mistake(stage: Stage) -> None:
    """422; what cannot be a key, and two names for one message, are refused too."""
    await _keyed(stage, WORKFLOWS, _start("ship-1"), "1")
    found = await _keyed(stage, WORKFLOWS, _start("ship-2"), "1")
    assert found.status_code == 422
    assert "Expected the body that the key '1' came with first" in found.json()["detail"]
    assert (await _keyed(stage, WORKFLOWS, _start("ship-3"), "x" * 201)).status_code == 400
    both = {"idempotency-key": "5", "sf-message-id": "5"}
    twice = await stage.http.post(WORKFLOWS, json=_start("ship-3"), headers=both)
    assert (twice.status_code, "found both" in twice.text) == (400, True)


async def test_a_key_holds_on_every_gateway(stage: Stage) -> None:
    """The log remembers it, not the process; what another gateway cannot know is the first body."""
    first = await _keyed(stage, WORKFLOWS, _start("ship-1"), "1")
    other = application({"default": stage.client.transport})
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(other), base_url="http://localhost"
    ) as http:
        again = await http.post(WORKFLOWS, json=_start("ship-1"), headers={"idempotency-key": "1"})
    assert again.json() == first.json()
