"""What a screen reader is told, and whether text can be read, on every kind of page in both themes."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page

from streamflow.audit import AuditTopic
from streamflow.client.connecting import log_of
from streamflow.model.audit import AuditEntry
from tests.ui import axe
from tests.ui.stage import Stage
from tests.ui.test_other_pages import letter, scheduled

pytestmark = [pytest.mark.asyncio, pytest.mark.browser]

NAMED = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "heading", "region"}
NAMED |= {"navigation", "table", "image"}

UNREADABLE = """() => {
  const numbers = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
  const linear = (part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const light = (rgb) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => sum + weight * linear(rgb[i] / 255), 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = numbers(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || !element.checkVisibility()) continue;
    if (element.closest("svg, .hidden, option")) continue;
    const [one, other] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (ratio < 4.5) found.push(`${walker.currentNode.textContent.trim().slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return found;
}"""

STRUCTURE = """() => ({
  language: document.documentElement.lang,
  title: document.title,
  mains: document.querySelectorAll("main").length,
  headings: document.querySelectorAll("h1").length,
  twice: [...document.querySelectorAll("[id]")].map((one) => one.id).filter((id, at, all) => all.indexOf(id) !== at),
  unlabelled: [...document.querySelectorAll("input:not([type=hidden]), textarea, select")]
    .filter((box) => !box.labels.length).map((box) => box.outerHTML),
  cells: [...document.querySelectorAll("th")].filter((cell) => !cell.scope).length,
})"""


@pytest.mark.parametrize("theme", ["light", "dark"])
async def test_every_page_can_be_read_and_heard(
    stage: Stage, context: BrowserContext, page: Page, theme: str
) -> None:
    """Everything to press or to fill in has a name, text stands out, and the page has one head and one main part."""
    await stage.failed("failed")
    await stage.stuck("stuck")
    await stage.retrying("retrying")
    handle = await stage.waiting("waiting")
    await handle.signal("note", "fragile")
    await (await stage.waiting("paused")).pause(reason="holiday")
    await scheduled(stage, "nightly")
    dead = stage.url + await letter(stage, b"no command")
    audit = AuditTopic(log_of(stage.client.transport), "default")
    await audit.write(
        AuditEntry(who="a", action="Signal", outcome="done", details={"x": "y"}), wait=True
    )
    await audit.close()
    views = ["", "timeline", "events", "pending", "queries", "stack", "travel", "json"]
    addresses = [
        stage.address("workflows"),
        stage.address("workflows", query="X"),
        *(stage.address("workflow", id="waiting", view=view) for view in views),
        *(stage.address("workflow", id=id) for id in ("failed", "stuck", "retrying", "paused")),
        stage.address("workflow", id="retrying", view="pending"),
        stage.address("workflow", id="waiting", view="travel", step="2"),
        stage.address("workflow", id="failed", view="travel"),
        stage.address("act", id="waiting", do="signal"),
        stage.address("act", id="waiting", do="reset"),
        stage.address("act", id="waiting", do="terminate"),
        stage.address("start"),
        stage.address("batch", query="WorkflowId = 'waiting'"),
        stage.address("schedules"),
        stage.address("schedule", id="nightly"),
        stage.address("queues"),
        stage.address("queue", name="shop"),
        stage.address("topics"),
        stage.address("schema", path="history/TimerFired.avsc"),
        stage.address("letters"),
        dead,
        stage.address("audit"),
        stage.address("audit", who="nobody"),
    ]
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    script = axe.source()
    for address in addresses:
        await page.goto(address)
        await _judge(context, page, address)
        assert await axe.violations(page, script) == [], address


async def _judge(context: BrowserContext, page: Page, address: str) -> None:
    found = await page.evaluate(STRUCTURE)
    assert found["language"] == "en", address
    assert found["title"].endswith("· streamflow"), address
    assert (found["mains"], found["headings"]) == (1, 1), address
    assert (found["twice"], found["unlabelled"], found["cells"]) == ([], [], 0), address
    assert await page.evaluate(UNREADABLE) == [], address
    session = await context.new_cdp_session(page)
    tree = await session.send("Accessibility.getFullAXTree")
    await session.detach()
    nameless = [
        node["role"]["value"]
        for node in tree["nodes"]
        if not node["ignored"]
        and node["role"]["value"] in NAMED
        and not node.get("name", {}).get("value", "").strip()
    ]
    assert nameless == [], address
