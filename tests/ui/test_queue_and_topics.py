"""A queue's partitions with who has them, and the namespace's topics with their schemas."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from streamflow.client.connecting import log_of
from streamflow.model.processes import ProcessReport, RestoreReport
from streamflow.topology import inbox_topic, shares
from streamflow.topology.processes import report_record
from streamflow.ui.topics import SUFFIX
from tests.ui.shop import QUEUE, app
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
    assert "say every 5 seconds how far they are" in said
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


async def test_a_queue_shows_who_stands_by_and_how_far_a_restore_is(
    stage: Stage, tmp_path: Path
) -> None:
    """A second process follows the first's partition; a third says that it restores it."""
    await stage.waiting("w")
    log = log_of(stage.client.transport)

    async def page() -> str:
        return (await stage.get("queue", name=QUEUE)).text

    before = text_of(await page())
    async with app.worker(
        stage.client, state_dir=tmp_path / "b", partitions=1, name="second", standby=1
    ):
        followed = text_of(await until(page, lambda text: "as far as its owner" in text))
    entry = (await stage.client.transport.queues())[QUEUE]
    [owner] = {one.member for one in shares(log, "default", entry) if one.role == "processor"}
    assert owner is not None
    part = RestoreReport(
        partition=0, begin_offset=100, next_offset=350, end_offset=1_100, elapsed_ms=10_000
    )
    producer = log.producer()
    restoring = ProcessReport(queue=QUEUE, instance=owner, restoring=(part,))
    producer.send(report_record("default", restoring))
    producer.flush(5_000)
    producer.close()

    html_now = await page()
    restored = text_of(html_now)

    assert "as far as its owner" not in before
    assert re.search(r"Runs workflows \S+ \d+ \d+ 0 second as far as its owner", followed)
    assert "restored 25 %, 750 left, about 30 s" in restored
    assert '<progress max="100" value="25"' in html_now
