"""Where browsers find a gateway behind a proxy, and what its paths look like from there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from streamflow.gateway import application
from streamflow.gateway.probes import Probes
from streamflow.gateway.public import PublicAddress
from streamflow.runtime import PrometheusConfig, Runtime, TelemetryConfig
from streamflow.testing import WorkflowEnvironment
from streamflow.ui import ui_routes


@pytest.mark.parametrize(
    ("url", "origin", "host", "root"),
    [
        ("https://flows.example", "https://flows.example", "flows.example", ""),
        ("https://flows.example:443/", "https://flows.example", "flows.example", ""),
        ("http://[::1]:8080/a/b/", "http://[::1]:8080", "::1", "/a/b"),
    ],
)
def test_a_public_url_has_an_origin_a_host_and_a_root_path(
    url: str, origin: str, host: str, root: str
) -> None:
    """The origin as a browser writes it: without the port that goes without saying."""
    assert PublicAddress.parse(url) == PublicAddress(origin, host, root)


@pytest.mark.parametrize(
    "url",
    [
        "flows.example",
        "ftp://flows.example",
        "https://me:secret@flows.example",
        "https://flows.example/?a=1",
        "https://flows.example/ui",
        "https://flows.example/a/../b",
        "https://flows.example/a//b",
        'https://flows.example/a"b',
        "https://flows.example:port",
    ],
)
def test_another_public_url_is_refused_with_what_was_expected(url: str) -> None:
    """Also a root path that begins as our own paths do: it could not be told whether a proxy took it away."""
    with pytest.raises(ValueError, match=r"Expected a (public URL|root path)"):
        PublicAddress.parse(url)


class Behind:
    """A gateway that is reached by a proxy, on a log of its own."""

    def __init__(self, http: httpx.AsyncClient, probes: Probes) -> None:
        self.http = http
        self.probes = probes

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.http.get(path, headers={"host": "flows.example", **headers})


@pytest_asyncio.fixture
async def behind(tmp_path: Path) -> AsyncIterator[Behind]:
    metrics = PrometheusConfig(bind_address=None)
    runtime = Runtime(telemetry=TelemetryConfig(logging=None, metrics=metrics))
    async with await WorkflowEnvironment.start_local() as environment:
        client = environment.client
        transports = {"default": client.transport}
        probes = Probes(transports, runtime)
        app = application(
            transports,
            public=PublicAddress.parse("https://flows.example/sf"),
            probes=probes,
            runtime=runtime,
            extra_routes=ui_routes({"default": client}),
        )
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://flows.example"
        ) as http:
            yield Behind(http, probes)


@pytest.mark.asyncio
async def test_paths_work_with_the_root_path_and_without(behind: Behind) -> None:
    """Some proxies take it away, others do not; what pages link to has it."""
    for path in ("/sf/api/v1/health", "/api/v1/health"):
        assert (await behind.get(path)).status_code == 200, path
    for path in ("/", "/sf", "/sf/"):
        home = await behind.get(path)
        assert home.headers["location"] == "/sf/ui/default/workflows", path

    page = (await behind.get("/ui/default/workflows")).text

    assert 'href="/sf/ui/default/schedules"' in page
    assert 'src="/sf/ui/static/' in page
    assert '"/ui/' not in page
    script = page.split('<script src="')[1].split('"')[0]
    assert (await behind.get(script)).status_code == 200
    assert (await behind.get("/sfx/api/v1/health")).status_code == 404


@pytest.mark.asyncio
async def test_the_public_name_and_origin_are_known_and_others_are_not(behind: Behind) -> None:
    """A page of the public origin may ask, though the request comes by plain HTTP from the proxy."""
    own = await behind.get("/api/v1/health", origin="https://flows.example")
    assert own.status_code == 200
    foreign = await behind.get("/api/v1/health", origin="https://evil.example")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "rpc_permission_denied")
    named = await behind.get("/api/v1/health", host="evil.example")
    assert named.status_code == 403


@pytest.mark.asyncio
async def test_probes_answer_under_any_name(behind: Behind) -> None:
    """A kubelet addresses a container by its IP. What is asked for besides is as guarded as ever."""
    assert (await behind.get("/livez", host="10.1.2.3")).text == "ok\n"
    assert (await behind.get("/readyz", host="10.1.2.3")).status_code == 503
    assert (await behind.get("/api/v1/health", host="10.1.2.3")).status_code == 403


@pytest.mark.asyncio
async def test_a_gateway_is_ready_once_lists_are_read_and_until_it_stops(behind: Behind) -> None:
    """And says what is missing."""
    probes = behind.probes
    assert (await probes.readiness()).missing == {"default": "lists are being read"}
    await probes.warm()
    probes._last = None

    ready = await behind.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"ready": True, "missing": {}})

    probes.stop()
    stopping = await behind.get("/readyz")
    assert stopping.status_code == 503
    assert stopping.json()["missing"] == {"default": "the gateway stops"}


@pytest.mark.asyncio
async def test_requests_are_counted_by_route_and_not_by_path(behind: Behind) -> None:
    """Paths name workflows; a series for each would have no end."""
    await behind.get("/api/v1/namespaces/default/workflows/order-17/queue")
    await behind.get("/api/v1/namespaces/default/workflows/order-18/queue")
    await behind.get("/nowhere")

    text = (await behind.get("/metrics")).text

    route = "GET /api/v1/namespaces/{namespace}/workflows/{workflow_id}/queue"
    counted = [line for line in text.splitlines() if line.startswith("streamflow_gateway_requests")]
    assert sum(f'route="{route}"' in line and line.endswith(" 2") for line in counted) == 1
    assert any('route="none"' in line for line in counted)
    assert "order-17" not in text
    assert f'streamflow_gateway_request_latency_count{{route="{route}"' in text
