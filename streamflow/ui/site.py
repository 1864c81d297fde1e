"""What every page has: templates, headers that let a browser load our own files only, and problems as pages.

A POST is taken only from our own pages. Browsers name the page's origin with each POST; the gateway refuses foreign ones,
and here one that names none is refused too, as no browser sends it. Where there is a session, its forms carry a token besides.
"""

from __future__ import annotations

import functools
import hashlib
import mimetypes
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from streamflow.client import Client
from streamflow.gateway.access import Access, GuardedTransport, Principal, Role
from streamflow.gateway.access.identify import principal_of
from streamflow.service import RPCError, RPCStatusCode
from streamflow.timetravel import Travels
from streamflow.ui import formats

FORM_BYTES_MAX = 2 * 1024 * 1024
FIELDS_MAX = 50
FORM_TOKEN = "form_token"
"""The field that says a form is from a page of the same session."""
_FORM = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')
HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
HTTP_OF_STATUS = {
    RPCStatusCode.NOT_FOUND: 404,
    RPCStatusCode.INVALID_ARGUMENT: 400,
    RPCStatusCode.FAILED_PRECONDITION: 409,
    RPCStatusCode.ALREADY_EXISTS: 409,
    RPCStatusCode.PERMISSION_DENIED: 403,
    RPCStatusCode.DEADLINE_EXCEEDED: 504,
}


class Problem(Exception):
    """A page that cannot be shown, or a form that cannot be taken: what to tell the person."""

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message = message


@dataclass
class Visit:
    """A request for a page of one namespace."""

    site: Site
    request: Request
    client: Client
    _form: dict[str, str] | None = None

    @property
    def namespace(self) -> str:
        return self.client.namespace

    def asked(self, name: str, default: str = "") -> str:
        """A parameter of the address."""
        return self.request.query_params.get(name, default)

    def link(self, page: str, /, **parameters: str | int | None) -> str:
        """The address of a page of this namespace."""
        return self.root + link(self.namespace, page, **parameters)

    def link_in(self, namespace: str, page: str) -> str:
        """The address of a page of another namespace."""
        return self.root + link(namespace, page)

    @property
    def root(self) -> str:
        """What stands before every path of ours, where a proxy has us below one of its own."""
        return root_of(self.request)

    @property
    def here(self) -> str:
        """The address of this page."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def here_unsaid(self) -> str:
        """The same without what a form had it say."""
        kept = [(name, value) for name, value in self.request.query_params.multi_items()]
        query = urlencode([one for one in kept if one[0] != "said"], quote_via=quote)
        return self.request.url.path + (f"?{query}" if query else "")

    @property
    def pages(self) -> Sequence[tuple[str, str]]:
        """The pages that lead to all others, by their names in addresses and as they are called: those that may be seen."""
        found = [("workflows", "Workflows"), ("schedules", "Schedules"), ("queues", "Task queues")]
        if self.may(Role.VIEWER):
            found += [("letters", "Dead letters"), ("topics", "Topics")]
        if self.may(Role.ADMIN) and self.site.access is not None:
            found.append(("audit", "Audit"))
        return found

    @property
    def principal(self) -> Principal:
        """Who looks at this."""
        return principal_of(self.request)

    def may(self, role: Role, workflow_type: str | None = None) -> bool:
        """Whether they have a role here: for workflows of a type, or without one for all of the namespace."""
        return self.principal.may(role, self.namespace, workflow_type)

    def require(self, role: Role, workflow_type: str | None = None) -> None:
        """Raises `RPCError`, which becomes a page that says what is needed."""
        self.principal.require(role, self.namespace, workflow_type)

    def may_some(self, role: Role) -> bool:
        """Whether they have a role here for any workflows: what reaches others is refused one by one."""
        return self.principal.may_some(role, self.namespace)

    def require_some(self, role: Role) -> None:
        """Raises `RPCError` where they have the role for no workflow at all."""
        if not self.may_some(role):
            self.require(role)

    async def may_for(self, role: Role, workflow_id: str) -> bool:
        """Whether they have a role for this workflow, so that its page offers what will not be refused."""
        try:
            await self.require_for(role, workflow_id)
        except RPCError as error:
            # Not found by lists yet: whoever is granted types alone may act once it is.
            if error.status not in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.NOT_FOUND):
                raise
            return False
        return True

    async def require_for(self, role: Role, workflow_id: str) -> None:
        """Raises `RPCError` where they have not."""
        transport = self.client.transport
        if isinstance(transport, GuardedTransport):
            await transport.require(role, workflow_id)

    async def form(self) -> dict[str, str]:
        """The fields of the form that was sent, the last of each name.

        Raises:
            Problem: it is too large, or is none of a page of this session.
        """
        if self._form is None:
            sent = await read_form(self.request)
            access = self.site.access
            if access is not None:
                token = sent.pop(FORM_TOKEN, "")
                if not access.takes_form(self.principal, token):
                    raise Problem(
                        403, "Expected a form of a page of this session: load the page again"
                    )
            self._form = sent
        return self._form

    def has(self, version: str) -> bool:
        """Whether whoever asks has this version of the page before them (``If-None-Match``)."""
        return self.request.headers.get("if-none-match") == f'"{version}"'

    def unchanged(self, version: str) -> Response:
        """In place of a page that they have."""
        return Response(status_code=304, headers={**HEADERS, "etag": f'"{version}"'})

    def page(self, template: str, *, status_code: int = 200, **values: Any) -> Response:
        return self.site.page(template, self.request, self, status_code=status_code, **values)

    def go(self, address: str) -> Response:
        """After a form: shows another page."""
        return RedirectResponse(address, status_code=303, headers=dict(HEADERS))


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form, the last of each name. Raises `Problem` for one that is too large."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > FORM_BYTES_MAX:
            raise Problem(413, f"Expected a form of at most {FORM_BYTES_MAX} bytes, found more")
    try:
        fields = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"
        )
    except ValueError as error:
        raise Problem(400, f"Expected a form, found: {error}") from error
    # Browsers end lines in forms with CR LF.
    return {name: value.replace("\r\n", "\n") for name, value in fields}


View = Callable[[Visit], Awaitable[Response]]


def requires(role: Role) -> Callable[[View], View]:
    """A view for those who have the role in all of the namespace; others see what is needed.

    What concerns one workflow calls `Visit.require` with its type instead.
    """

    def wrap(view: View) -> View:
        @functools.wraps(view)
        async def checked(visit: Visit) -> Response:
            visit.require(role)
            return await view(visit)

        return checked

    return wrap


def root_of(request: Request) -> str:
    root: str = request.scope.get("root_path", "")
    return root


def link(namespace: str, page: str, /, **parameters: str | int | None) -> str:
    given = {name: value for name, value in parameters.items() if value not in (None, "")}
    query = f"?{urlencode(given, quote_via=quote)}" if given else ""
    return f"/ui/{quote(namespace, safe='')}/{page}{query}"


class Site:
    """The pages over these namespaces."""

    def __init__(
        self,
        clients: Mapping[str, Client],
        access: Access | None = None,
        *,
        travels: Travels | None = None,
        may_travel: Callable[[Visit], bool] = lambda _visit: True,
    ) -> None:
        """``may_travel`` says who may see what code holds, which are values that no event has."""
        self.clients = clients
        self.access = access
        self.travels = travels
        self.may_travel = may_travel
        self._templates = Environment(
            loader=PackageLoader("streamflow.ui"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(formats.FILTERS)

    # -- pages ----------------------------------------------------------------------------------------------------

    def endpoint(self, view: View) -> Callable[[Request], Awaitable[Response]]:
        """The view, with what may go wrong as a page."""

        async def answer(request: Request) -> Response:
            visit = self._visit(request)
            if visit is None:
                names = ", ".join(self._seen(request))
                return self._problem(request, None, 404, f"Expected one of the namespaces {names}")
            if request.method == "POST" and not request.headers.get("origin"):
                return self._problem(
                    request, visit, 403, "Expected a form of one of these pages, found no origin"
                )
            try:
                if not visit.principal.sees(visit.namespace):
                    visit.require(Role.VIEWER)
                if request.method == "POST":
                    await visit.form()  # refused here, whether or not the view looks at it
                return await view(visit)
            except Problem as problem:
                return self._problem(request, visit, problem.status_code, problem.message)
            except RPCError as error:
                code = HTTP_OF_STATUS.get(error.status, 503)
                return self._problem(request, visit, code, error.message)

        return answer

    async def home(self, request: Request) -> Response:
        seen = self._seen(request)
        first = "default" if "default" in seen else seen[0]
        there = root_of(request) + link(first, "workflows")
        return RedirectResponse(there, headers=dict(HEADERS))

    async def nothing(self, request: Request) -> Response:
        return self._problem(request, None, 404, "There is no such page")

    def page(
        self,
        template: str,
        request: Request,
        visit: Visit | None,
        *,
        status_code: int = 200,
        **values: Any,
    ) -> Response:
        root, principal = root_of(request), principal_of(request)

        def asset(name: str) -> str:
            return f"{root}/ui/static/{self.files_version}/{name}"

        made = self._templates.get_template(template).render(
            visit=visit,
            Role=Role,
            namespaces=self._seen(request),
            who=principal.name,
            logout=f"{root}/auth/logout",
            home=f"{root}/",
            asset=asset,
            **values,
        )
        if self.access is not None and (token := self.access.form_token(principal)):
            # Into every form, so that none can be written without; what users wrote is escaped, and holds no form.
            field = f'<input type="hidden" name="{FORM_TOKEN}" value="{token}">'
            made = _FORM.sub(lambda form: form.group() + field, made)
        headers = dict(HEADERS)
        if "version" in values:
            headers["etag"] = f'"{values["version"]}"'
        return Response(made, status_code=status_code, media_type="text/html", headers=headers)

    def _seen(self, request: Request) -> list[str]:
        """The namespaces of which somebody may see anything; one at least, whose pages then say what is needed."""
        principal = principal_of(request)
        names = sorted(self.clients)
        return [name for name in names if principal.sees(name)] or names[:1]

    def _problem(
        self, request: Request, visit: Visit | None, status_code: int, message: str
    ) -> Response:
        return self.page("problem.html", request, visit, status_code=status_code, message=message)

    def _visit(self, request: Request) -> Visit | None:
        client = self.clients.get(request.path_params["namespace"])
        if client is None:
            return None
        return Visit(self, request, self._as_seen_by(principal_of(request), client))

    def _as_seen_by(self, principal: Principal, client: Client) -> Client:
        """The client, of which each call is refused or audited as grants say."""
        if self.access is None:
            return client
        guarded = GuardedTransport(client.transport, principal, self.access.audit)
        return Client(
            guarded,
            namespace=client.namespace,
            data_converter=client.data_converter,
            identity=principal.name or None,
        )

    # -- files ----------------------------------------------------------------------------------------------------

    @cached_property
    def _files(self) -> Mapping[str, bytes]:
        folder = resources.files("streamflow.ui") / "static"
        return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}

    @cached_property
    def files_version(self) -> str:
        """Changes with any of the files, so that browsers may keep them for ever."""
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + self._files[name])
        return digest.hexdigest()[:12]

    async def file(self, request: Request) -> Response:
        name = request.path_params["name"]
        content = self._files.get(name)
        if content is None:
            return self._problem(request, None, 404, "There is no such file")
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        headers = {**HEADERS, "cache-control": "public, max-age=31536000, immutable"}
        return Response(content, media_type=kind, headers=headers)
