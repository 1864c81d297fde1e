"""Deliveries of other services become starts and signals, when they are signed."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from streamflow.gateway import application
from streamflow.gateway.access import Access, AccessError, Audit, without_login
from streamflow.gateway.webhooks import Webhooks, load_webhooks
from tests.ui.shop import QUEUE
from tests.ui.stage import Stage

SECRET = "a-secret-of-both-sides"
FILE = f"""
[[webhook]]
name = "ship"
signature = "github"
secret_env = ["OLD", "SECRET"]
workflow_type = "Ship"
queue = "{QUEUE}"
workflow_id = "ship-{{parcel.number}}"

[[webhook]]
name = "paid"
signature = "stripe"
secret_env = "SECRET"
workflow_id = "{{data.lines.0.order}}"
queue = "{QUEUE}"
signal = "note"

[[webhook]]
name = "plain"
secret_env = "SECRET"
signal = "note"
workflow_id = "{{header:x-order}}"
"""
ENVIRON = {"SECRET": SECRET, "OLD": "the-secret-before-this"}


def _hex(text: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def _body(value: Any) -> bytes:
    return json.dumps(value).encode()


def _stripe(body: bytes, at: float) -> dict[str, str]:
    return {"stripe-signature": f"t={int(at)},v1=00,v1={_hex(f'{int(at)}.'.encode() + body)},v0=x"}


@pytest_asyncio.fixture
async def hooks(stage: Stage, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    file = tmp_path / "webhooks.toml"
    file.write_text(FILE)
    transports = {"default": stage.client.transport}
    webhooks = Webhooks(load_webhooks(file, ENVIRON), transports, Audit())
    app = application(transports, access=Access(without_login()), webhooks=webhooks)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield http


@pytest.mark.asyncio
async def test_a_signed_delivery_starts_its_workflow_once(
    hooks: httpx.AsyncClient, stage: Stage
) -> None:
    """With the body as its argument; sent again it has the same outcome, and a secret may be one of two."""
    body = _body({"to": "Ada", "parcel": {"number": 17}})
    runs = set()
    for secret in (SECRET, ENVIRON["OLD"]):
        headers = {"x-hub-signature-256": f"sha256={_hex(body, secret)}", "x-github-delivery": "d1"}
        done = await hooks.post("/hooks/ship", content=body, headers=headers)
        assert done.status_code == 200, done.text
        runs.add(done.json()["run_id"])
    found = await stage.client.get_workflow_handle("ship-17").describe()
    assert runs == {found.run_id}
    assert found.workflow_type == "Ship"


@pytest.mark.asyncio
async def test_a_signed_delivery_signals_an_open_workflow(
    hooks: httpx.AsyncClient, stage: Stage
) -> None:
    """Once for each event that the service tells, however often it does; histories name the webhook."""
    handle = await stage.waiting("order-5")
    body = _body({"id": "evt_1", "data": {"lines": [{"order": "order-5"}]}})
    for _ in range(2):
        headers = _stripe(body, time.time())
        done = await hooks.post("/hooks/paid", content=body, headers=headers)
        assert done.status_code == 200, done.text
    text = (await handle.fetch_history()).to_json()
    assert text.count('"signal_received"') == 1
    assert "webhook:paid" in text


@pytest.mark.asyncio
async def test_what_is_not_signed_is_refused(hooks: httpx.AsyncClient) -> None:
    """Whatever is missing, wrong or old; and a body that cannot be used says why only to those who signed it."""
    body = _body({"parcel": {}})
    now = time.time()
    for path, headers, status, says in (
        ("ship", {}, 401, "Expected a signature in x-hub-signature-256, found none"),
        ("ship", {"x-hub-signature-256": _hex(body)}, 401, "begin with sha256="),
        ("ship", {"x-hub-signature-256": "sha256=" + _hex(b"x")}, 401, "found another"),
        ("ship", {"x-hub-signature-256": "sha256=" + _hex(body, "y" * 20)}, 401, "found another"),
        ("ship", {"x-hub-signature-256": "sha256=" + _hex(body)}, 400, "at {parcel.number}"),
        ("paid", _stripe(body, now - 400), 401, "within 300 s"),
        ("paid", _stripe(body, now + 400), 401, "within 300 s"),
        ("paid", {"stripe-signature": "v1=00"}, 401, "t=SECONDS,v1=HEX"),
        ("paid", {"stripe-signature": f"t={int(now)}"}, 401, "found another"),
        ("plain", {"x-signature": _hex(body)}, 400, "at {header:x-order}"),
        ("none", {}, 404, "found none"),
    ):
        found = await hooks.post(f"/hooks/{path}", content=body, headers=headers)
        assert (found.status_code, says in found.json()["detail"]) == (status, True), found.text
    basic = {"authorization": "Basic YTpi"}
    assert (await hooks.post("/hooks/none", headers=basic)).status_code == 404
    assert (await hooks.get("/hooks/ship")).status_code == 405
    signed = {"x-hub-signature-256": "sha256=" + _hex(b"{")}
    assert (await hooks.post("/hooks/ship", content=b"{", headers=signed)).status_code == 400


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('workflow_type = "Ship"\n', "", "a workflow_type or a signal for webhook 'ship'"),
        (f'queue = "{QUEUE}"\n', "", "the queue that webhook 'ship' starts workflows on"),
        ('"OLD", "SECRET"', "", "a secret of 16 characters at least for webhook 'ship'"),
        ('"OLD", "SECRET"', '"NONE"', "in the variable NONE, found nothing"),
        ("{parcel.number}", "{parcel number}", "found {parcel number}, in webhook 'ship'"),
        ("{parcel.number}", "{parcel.number", "braces in pairs"),
        ('name = "paid"', 'name = "ship"', "a name for each webhook"),
        ('name = "paid"', 'name = "a/b"', "letters, digits"),
        ('"stripe"', '"swipe"', "Invalid enum value 'swipe'"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(
    tmp_path: Path, was: str, becomes: str, says: str
) -> None:
    """Before anything is served."""
    file = tmp_path / "webhooks.toml"
    assert was in FILE
    changed = FILE.replace(was, becomes, 1)
    file.write_text(changed)
    with pytest.raises(AccessError) as raised:
        load_webhooks(file, ENVIRON)
    assert says in str(raised.value)
