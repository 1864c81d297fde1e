"""A queue's partitions with who has them, and the namespace's topics with their schemas."""

from __future__ import annotations

import html
import re

import pytest

from streamflow.client.connecting import log_of
from streamflow.topology import inbox_topic
from streamflow.ui.topics import SUFFIX
from tests.ui.shop import QUEUE
from tests.ui.stage import Stage, until
from tests.ui.test_run import text_of

pytestmark = pytest.mark.asyncio


async def test_a_queue_shows_its_partitions_and_who_has_them(stage: Stage) -> None:
    """The list of queues leads there; everything written so far is read."""
    await stage.waiting("w")
    queues = (await stage.get("queues")).text
    assert 'href="/ui/default/queue?name=shop"' in queues

    async def page() -> str:
        return text_of((await stage.get("queue", name=QUEUE)).text)

    said = await until(page, lambda text: "Still to be read 0" in text)

    assert "Partitions that nobody has none" in said
    assert "Runs workflows 1 0" in said
    assert "Runs activities 1 0" in said
    assert "streamflow_partitions_active" in said
    assert "streamflow task-queue describe shop" in said


async def test_a_queue_that_is_not_there_names_those_that_are(stage: Stage) -> None:
    page = await stage.get("queue", name="<b>none</b>")

    assert page.status_code == 404
    assert "there are: shop" in html.unescape(page.text)
    assert "<b>none" not in page.text


async def test_topics_say_what_they_hold_and_how_much(stage: Stage) -> None:
    """As they are declared, beside what is there."""
    await stage.waiting("w")
    log = log_of(stage.client.transport)

    said = text_of((await stage.get("topics")).text)

    for name in (inbox_topic("default", QUEUE), "default.executions", "default.dead-letters"):
        assert name in log.topics()
        assert name in said
    assert "the source of truth: every event of every run" in said


async def test_every_schema_can_be_read(stage: Stage) -> None:
    """Each link of the page leads to a schema of the package."""
    page = (await stage.get("topics")).text
    links = [html.unescape(one) for one in re.findall(r'href="(/ui/default/schema[^"]*)"', page)]

    assert len(links) > 60
    for link in links[::10]:
        answer = await stage.http.get(link)
        assert answer.status_code == 200
        assert "&#34;type&#34;: &#34;record&#34;" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "",
        "history",
        "history/None.avsc",
        "../pyproject.toml",
        "history/../index.json",
        f"x/y{SUFFIX}",
    ],
)
async def test_nothing_else_is_read(stage: Stage, path: str) -> None:
    """A path names a schema of the package or nothing."""
    assert (await stage.get("schema", path=path)).status_code == 404
