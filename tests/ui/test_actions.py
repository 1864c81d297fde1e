"""Every button over HTTP, end to end on a running engine."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from streamflow.client import WorkflowExecutionStatus
from tests.ui.stage import Stage, until
from tests.ui.test_run import text_of

pytestmark = pytest.mark.asyncio


async def act(stage: Stage, do: str, **fields: str) -> httpx.Response:
    """Sends the form as the page would."""
    address = stage.address("act", id=fields.pop("id", "w"), do=do)
    return await stage.http.post(address, data=fields)


async def said(stage: Stage, answer: httpx.Response) -> str:
    """What the page says to which the form leads."""
    assert answer.status_code == 303, answer.text
    page = await stage.http.get(answer.headers["location"])
    found = re.search(r'<p class="said" role="status">(.*?)</p>', page.text)
    assert found is not None
    return found[1]


async def test_a_signal_is_sent(stage: Stage) -> None:
    """With its arguments; the form proposes the signals that the code has."""
    handle = await stage.waiting("w")

    form = (await stage.get("act", id="w", do="signal")).text
    answer = await act(stage, "signal", name="note", args='"fragile"')

    assert '<option value="hand_over">' in form
    assert await said(stage, answer) == "The signal was sent."
    assert await handle.query("remarks") == ["fragile"]


async def test_an_update_shows_its_answer(stage: Stage) -> None:
    """And one that is refused says why, with what was typed still there."""
    await stage.waiting("w")

    done = await act(stage, "update", name="rename", args='"Bo"')
    refused = await act(stage, "update", name="rename", args='""')

    assert done.status_code == 200
    assert '"now to Bo"' in text_of(done.text)
    assert refused.status_code == 409
    assert "Expected a name" in refused.text
    assert 'value="rename"' in refused.text


async def test_cancelling_and_terminating(stage: Stage) -> None:
    """Both end the run, and the reason is in its history."""
    first, second = await stage.waiting("first"), await stage.waiting("second")

    cancelled = await act(stage, "cancel", id="first", reason="recall")
    terminated = await act(stage, "terminate", id="second", reason="fire")

    assert await said(stage, cancelled) == "The workflow was asked to stop."
    ended = await until(first.describe, lambda found: found.close_time is not None)
    assert ended.status is WorkflowExecutionStatus.CANCELED
    assert await said(stage, terminated) == "The workflow was terminated."
    assert (await second.describe()).status is WorkflowExecutionStatus.TERMINATED
    assert "Terminated: fire" in text_of((await stage.get("workflow", id="second")).text)


async def test_pausing_and_going_on(stage: Stage) -> None:
    """A paused run says so, and its button is the other one."""
    handle = await stage.waiting("w")

    paused = await act(stage, "pause", reason="holiday")
    page = text_of((await stage.get("workflow", id="w")).text)
    gone_on = await act(stage, "unpause")

    assert await said(stage, paused) == "The workflow was paused."
    assert "w Paused" in page
    assert "holiday" in page
    assert "Go on" in page
    assert await said(stage, gone_on) == "The workflow goes on."
    assert (await handle.describe()).trouble is None


async def test_resetting_leads_to_the_new_run(stage: Stage) -> None:
    """It has done what the old one had, and says where it comes from."""
    handle = await stage.completed("w")

    answer = await act(stage, "reset", seq="5", reason="again", signals="yes")

    assert await said(stage, answer) == "This run was made by the reset."
    run_id = parse_qs(urlsplit(answer.headers["location"]).query)["run"][0]
    assert run_id != handle.result_run_id
    page = text_of((await stage.http.get(answer.headers["location"])).text)
    assert f"Reset from {handle.result_run_id}" in page
    fresh = stage.client.get_workflow_handle("w", run_id=run_id)
    assert await fresh.result() == "packed 100 g for Ada"


async def test_an_activity_is_retried_now(stage: Stage) -> None:
    """An attempt that was an hour away is made at once."""
    handle = await stage.retrying("w")
    [before] = (await handle.describe()).pending_activities

    answer = await act(stage, "retry", activity=before.activity_id)

    assert await said(stage, answer) == "The activity is tried again now."
    await until(
        handle.describe,
        lambda found: (
            found.pending_activities[0].next_retry_time is not None
            and found.pending_activities[0].next_retry_time != before.next_retry_time
        ),
    )


async def test_an_activity_is_paused_and_goes_on(stage: Stage) -> None:
    """Its reason is shown while it is."""
    handle = await stage.retrying("w")
    [activity] = (await handle.describe()).pending_activities

    await act(stage, "pause-activity", activity=activity.activity_id, reason="new scale")
    page = text_of((await stage.get("workflow", id="w", view="pending")).text)
    assert (await handle.describe()).pending_activities[0].is_paused
    await act(stage, "unpause-activity", activity=activity.activity_id)

    assert "Paused for new scale" in page
    await until(handle.describe, lambda found: not found.pending_activities[0].is_paused)


async def test_a_workflow_is_started(stage: Stage) -> None:
    """From a form that proposes queues and types; an ID that is taken is refused on the form."""
    await stage.waiting("taken")
    given = {"type": "Ship", "queue": "shop", "id": "fresh", "args": '{"to": "Eve"}'}

    form = (await stage.get("start")).text
    started = await stage.post("start", **given)
    again = await stage.post("start", **{**given, "id": "taken"})

    assert '<option value="Ship">' in form
    assert '<option value="shop">' in form
    assert await said(stage, started) == "The workflow was started."
    assert '"to": "Eve"' in text_of((await stage.get("workflow", id="fresh")).text)
    assert again.status_code == 409
    assert "which is running" in again.text
    assert "{&#34;to&#34;: &#34;Eve&#34;}" in again.text


@pytest.mark.parametrize(
    ("do", "fields", "status", "message"),
    [
        ("signal", {"name": "", "args": ""}, 400, "Expected the signal's name"),
        ("signal", {"name": "note", "args": "fragile"}, 400, "Expected a JSON value on each line"),
        ("reset", {"seq": "x"}, 400, "Expected an event's number"),
        ("reset", {"seq": "999"}, 400, "999"),
        ("retry", {"activity": "none"}, 404, "Expected pending activity"),
        ("dance", {}, 404, "Expected one of"),
    ],
)
async def test_a_form_that_cannot_be_taken_says_why(
    stage: Stage, do: str, fields: dict[str, str], status: int, message: str
) -> None:
    """Nothing is done, and the answer is a page with the message."""
    handle = await stage.waiting("w")
    length = (await handle.describe()).history_length

    answer = await act(stage, do, **fields)

    assert answer.status_code == status
    assert message in html.unescape(answer.text)
    assert (await handle.describe()).history_length == length


async def test_forms_of_other_sites_are_refused(stage: Stage) -> None:
    """A foreign origin, and none at all: nothing is done."""
    handle = await stage.waiting("w")
    address = stage.address("act", id="w", do="terminate")

    foreign = await stage.http.post(address, headers={"origin": "https://elsewhere.example"})
    opaque = await stage.http.post(address, headers={"origin": "null"})
    async with httpx.AsyncClient() as plain:
        unnamed = await plain.post(address)

    assert [foreign.status_code, opaque.status_code, unnamed.status_code] == [403, 403, 403]
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING


async def test_a_form_has_a_bound(stage: Stage) -> None:
    """What is too large is refused before it is read whole."""
    await stage.waiting("w")

    answer = await act(stage, "signal", name="note", args="x" * 2_200_000)

    assert answer.status_code == 413


async def test_the_command_of_a_form_is_the_same(stage: Stage) -> None:
    """With what is in the form."""
    handle = await stage.waiting("w")

    page = (await stage.get("act", id="w", do="reset", seq="3")).text

    found = re.search(r'data-copy="([^"]*)"', page)
    assert found is not None
    run_id = (await handle.describe()).run_id
    assert found[1] == f"streamflow workflow reset --event=3 --run-id={run_id} w"
