"""The web site: a menu and an order's page for customers, and a page whose buttons are the driver's.

    python -m examples.food_delivery.site --address localhost:9092 --port 8080

It keeps no state of its own that matters: an order's page asks the order. What it remembers is which orders it placed,
to show them to drivers; any other order is found by its number. Pages work without scripts; with them they stay current.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from examples.food_delivery.app import QUEUE
from examples.food_delivery.orders import A_MINUTE_EACH, MENU, Limits, Order, State, Status
from examples.food_delivery.workflows import OrderWorkflow
from streamflow.client import Client, RPCError, RPCStatusCode, WorkflowHandle

HERE = Path(__file__).parent
CARDS = {"4242": "Card ending in 4242", "0002": "Card ending in 0002 (will be declined)"}
SIGNALS = {"picked_up": OrderWorkflow.picked_up, "delivered": OrderWorkflow.delivered}
HOSTS = ["127.0.0.1", "localhost"]
ORDERS_SHOWN_MAX = 20
FORM_BYTES_MAX = 4_096


class Site:
    """The pages over one client. ``Site(client).app`` is an ASGI application."""

    def __init__(self, client: Client, *, limits: Limits = A_MINUTE_EACH) -> None:
        self.placed: deque[str] = deque(maxlen=ORDERS_SHOWN_MAX)
        self._client = client
        self._limits = limits
        self._templates = Jinja2Templates(HERE / "templates")
        self._templates.env.filters["money"] = lambda cents: f"{cents / 100:.2f} €"
        self.app = Starlette(
            routes=[
                Route("/", self.menu),
                Route("/orders", self.place_order, methods=["POST"]),
                Route("/orders/{order_id}", self.order),
                Route("/driver", self.driver),
                Route("/driver/{order_id}/{signal}", self.send_signal, methods=["POST"]),
                Mount("/static", StaticFiles(directory=HERE / "static")),
            ],
            middleware=[
                # A foreign name that points at this machine is not us.
                Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS),
                Middleware(OwnPagesOnly),
            ],
            exception_handlers={HTTPException: self.problem, RPCError: self.problem},
        )

    # -- customers ------------------------------------------------------------------------------------------------

    async def menu(self, request: Request) -> Response:
        return self._page(request, "menu.html", menu=MENU, cards=CARDS)

    async def place_order(self, request: Request) -> Response:
        form = await read_form(request)
        dish = next((dish for dish in MENU if dish.name == form.get("dish")), None)
        card = form.get("card", "")
        if dish is None or card not in CARDS:
            raise HTTPException(400, "Expected a dish of the menu and one of the cards")
        order_id = f"order-{secrets.token_hex(4)}"
        await self._client.start_workflow(
            OrderWorkflow.run,
            Order(dish.name, dish.price_cents, card, self._limits),
            id=order_id,
            task_queue=QUEUE,
            static_summary=dish.name,
        )
        self.placed.appendleft(order_id)
        return RedirectResponse(f"/orders/{order_id}", status_code=303)

    async def order(self, request: Request) -> Response:
        order_id = request.path_params["order_id"]
        status = await self._handle(order_id).query(OrderWorkflow.status)
        return self._page(request, "order.html", order_id=order_id, status=status, State=State)

    # -- drivers --------------------------------------------------------------------------------------------------

    async def driver(self, request: Request) -> Response:
        if order_id := request.query_params.get("order", "").strip():
            order_ids = [order_id]
        else:
            order_ids = list(self.placed)
        statuses = await asyncio.gather(*map(self._status_or_none, order_ids))
        orders = [(id, status) for id, status in zip(order_ids, statuses, strict=True) if status]
        return self._page(request, "driver.html", orders=orders, wanted=order_id, State=State)

    async def send_signal(self, request: Request) -> Response:
        signal = SIGNALS.get(request.path_params["signal"])
        if signal is None:
            raise HTTPException(404, f"Expected one of {', '.join(SIGNALS)}")
        order_id = request.path_params["order_id"]
        await self._handle(order_id).signal(signal)
        one = "" if order_id in self.placed else f"?order={quote(order_id)}"
        return RedirectResponse(f"/driver{one}", status_code=303)

    async def _status_or_none(self, order_id: str) -> Status | None:
        try:
            return await self._handle(order_id).query(OrderWorkflow.status)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    # -- both -----------------------------------------------------------------------------------------------------

    def _handle(self, order_id: str) -> WorkflowHandle[OrderWorkflow, Status]:
        return self._client.get_workflow_handle_for(OrderWorkflow.run, order_id, task_queue=QUEUE)

    def _page(
        self, request: Request, name: str, status_code: int = 200, **values: object
    ) -> Response:
        return self._templates.TemplateResponse(request, name, values, status_code=status_code)

    async def problem(self, request: Request, error: Exception) -> Response:
        match error:
            case HTTPException():
                code, message = error.status_code, error.detail
            case RPCError(status=RPCStatusCode.NOT_FOUND):
                code, message = 404, "There is no such order, or it is over."
            case _:
                code, message = 503, "The kitchen does not answer. Is a worker running?"
        return self._page(request, "problem.html", code, message=message)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a small form, the last of each name."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise HTTPException(413, f"Expected a form of at most {FORM_BYTES_MAX} bytes")
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=20)
    return {name: values[-1] for name, values in fields.items()}


class OwnPagesOnly:
    """Refuses what other sites' pages send (browsers name the page's origin), and lets our pages load only our files."""

    HEADERS = (
        (
            b"content-security-policy",
            b"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
            b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (b"referrer-policy", b"same-origin"),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self.HEADERS]
            await send(message)

        if scope["type"] == "http" and self._is_foreign(Request(scope)):
            await Response("Expected a request from our own pages\n", 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send_with_headers)

    @staticmethod
    def _is_foreign(request: Request) -> bool:
        origin = request.headers.get("origin")
        if request.method in ("GET", "HEAD") or origin is None:
            return False
        return urlsplit(origin).netloc != request.headers.get("host")


@asynccontextmanager
async def serving(site: Site, listening: socket.socket) -> AsyncIterator[None]:
    """Within it the pages are served on this socket."""
    config = uvicorn.Config(
        site.app, lifespan="off", log_level="warning", timeout_graceful_shutdown=1
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


class _Server(uvicorn.Server):
    """Leaves signals to the program around it, which has more to stop than this."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def main() -> None:
    parser = argparse.ArgumentParser(description="The food-delivery site.")
    parser.add_argument(
        "--address", default="http://127.0.0.1:8233", help="of Kafka, or of an HTTP API"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    options = parser.parse_args()
    with socket.create_server((options.host, options.port)) as listening:
        async with (
            await Client.connect(options.address) as client,
            serving(Site(client), listening),
        ):
            print(
                f"Customers: {url_of(listening)}/   Drivers: {url_of(listening)}/driver", flush=True
            )
            await asyncio.Event().wait()


def url_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
