"""Finds out who asks: by a bearer token, else by a session's cookie, else whoever grants to `anyone` are for.

In front of the routes. What needs somebody and has nobody is answered here: 401 to programs, the login page to browsers.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from streamflow.client.http import api_v1
from streamflow.gateway.access.audit import Audit
from streamflow.gateway.access.oidc import OIDCError, Provider
from streamflow.gateway.access.roles import EVERYBODY, Principal
from streamflow.gateway.access.sealing import Sealer
from streamflow.gateway.access.settings import AccessSettings, hashed
from streamflow.gateway.problems import problem
from streamflow.service import RPCStatusCode

LOGIN = "/auth/login"
SESSION = "session"
GROUPS_MAX = 50
"""Of a session: a cookie has room for so many, and only those that a grant names are kept."""
_KEY = "streamflow.principal"
_BROWSER = ("/ui/", "/auth/")
_OPEN = ("/ui/static/", "/auth/")
"""Answered to everybody: without them nobody could log in."""
SIGNED = "/hooks/"
"""Deliveries have signatures instead."""


_asking: ContextVar[Principal] = ContextVar("asking", default=EVERYBODY)


def asking_user() -> Mapping[str, str]:
    """The header that tells a codec server for whom this request decodes; none where nobody is logged in."""
    name = _asking.get().name
    return {"x-streamflow-user": quote(name, safe=":@")} if name else {}


class Refused(Exception):
    """A token that is none."""


def principal_of(connection: HTTPConnection | None) -> Principal:
    """Who asks; everybody is an admin where there is no login."""
    found = None if connection is None else connection.scope.get(_KEY)
    return found if isinstance(found, Principal) else EVERYBODY


class Access:
    """Knows tokens, sessions and the provider."""

    def __init__(
        self,
        settings: AccessSettings,
        *,
        secure: bool = False,
        root_path: str = "",
        provider: Provider | None = None,
    ) -> None:
        """``secure`` says that browsers come by TLS. ``provider`` stands in for the one of the settings."""
        self.settings = settings
        self.sealer = Sealer(settings.session_secret)
        self.secure = secure
        self.root_path = root_path
        self.audit = Audit()
        self.provider = provider
        if provider is None and settings.oidc is not None:
            self.provider = Provider(settings.oidc)
        self._anyone = Principal.of("", (), settings.grants)

    # -- who ------------------------------------------------------------------------------------------------------

    async def identify(self, request: HTTPConnection) -> Principal:
        """Raises `Refused` for a bearer token that is none: who brings one means to be somebody."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme:
            if scheme.lower() != "bearer":
                raise Refused(
                    f"Expected Authorization: Bearer TOKEN, found the scheme {scheme[:20]!r}"
                )
            return await self.of_token(token.strip())
        cookie = request.cookies.get(self.cookie_name(SESSION))
        found = None if cookie is None else self._of_session(cookie)
        return found or self._anyone

    async def of_token(self, token: str) -> Principal:
        """Who has this token: one of ours, or of the provider. Raises `Refused`."""
        name = self.static_name(token)
        if name is not None:
            return Principal.of(f"token:{name}", [f"token:{name}"], self.settings.grants)
        if self.provider is None or token.count(".") != 2:
            raise Refused("Expected a token that is known here, found another")
        try:
            who, identities = self.provider.identities(await self.provider.bearer(token))
        except OIDCError as error:
            raise Refused(str(error)) from error
        return Principal.of(who, identities, self.settings.grants)

    def static_name(self, token: str) -> str | None:
        """All are compared, so that time says nothing of which came close."""
        digest = hashed(token)
        found = [
            one.name for one in self.settings.tokens if hmac.compare_digest(one.sha256, digest)
        ]
        return found[0] if found else None

    # -- sessions -------------------------------------------------------------------------------------------------

    def session_of_token(self, token: str) -> str | None:
        """The cookie of a session for a static token's holder; ``None`` for another's."""
        name = self.static_name(token)
        return None if name is None else self._session(f"token:{name}", [], key=hashed(token)[:16])

    def session_of_claims(self, claims: Mapping[str, Any]) -> str:
        """The cookie of a session for whom the provider has logged in."""
        assert self.provider is not None
        who, identities = self.provider.identities(claims)
        named = {one for grant in self.settings.grants for one in grant.to}
        return self._session(who, [one for one in identities if one in named][:GROUPS_MAX], key="")

    def _session(self, who: str, identities: list[str], *, key: str) -> str:
        value = {"who": who, "are": identities, "key": key, "id": secrets.token_urlsafe(12)}
        return self.sealer.seal(SESSION, value, seconds=self.settings.session_s)

    def _of_session(self, cookie: str) -> Principal | None:
        found = self.sealer.unseal(SESSION, cookie)
        if found is None:
            return None
        who, identities = found["who"], found["are"]
        if found["key"]:
            # A token that was taken out of the file, or replaced, ends its sessions.
            name, key = who.removeprefix("token:"), found["key"]
            if not any(t.name == name and t.sha256.startswith(key) for t in self.settings.tokens):
                return None
            identities = [who]
        return Principal.of(who, identities, self.settings.grants, session_id=found["id"])

    def form_token(self, principal: Principal) -> str:
        """What a form of this session carries; empty where no cookie is at work."""
        return self.sealer.mark("form", principal.session_id) if principal.session_id else ""

    def takes_form(self, principal: Principal, token: str) -> bool:
        return hmac.compare_digest(self.form_token(principal).encode(), token.encode())

    # -- cookies --------------------------------------------------------------------------------------------------

    def cookie_name(self, purpose: str) -> str:
        """With a prefix that keeps other hosts of the domain from setting it, where browsers come by TLS."""
        prefix = "" if not self.secure else "__Secure-" if self.root_path else "__Host-"
        return f"{prefix}streamflow_{purpose}"

    def set_cookie(self, response: Response, purpose: str, value: str, seconds: float) -> None:
        response.set_cookie(
            self.cookie_name(purpose),
            value,
            max_age=int(seconds),
            path=self.root_path or "/",
            httponly=True,
            secure=self.secure,
            samesite="lax",
        )

    def drop_cookie(self, response: Response, purpose: str) -> None:
        self.set_cookie(response, purpose, "", 0)

    async def close(self) -> None:
        """Before the clients of the namespaces are closed: the last audit entries go by their logs."""
        await self.audit.close()
        if self.provider is not None:
            await self.provider.close()


class Identified:
    """The application behind the question who asks."""

    def __init__(self, app: ASGIApp, access: Access, open_paths: frozenset[str]) -> None:
        self._app = app
        self._access = access
        self._open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        if path in self._open_paths or path.startswith(SIGNED):
            # Nobody is asked for there, so credentials of another kind do no harm.
            await self._app(scope, receive, send)
            return
        try:
            principal = await self._access.identify(request)
        except Refused as error:
            await unauthenticated(str(error))(scope, receive, send)
            return
        if not principal.grants and not path.startswith(_OPEN):
            await self._nobody(request, path, principal)(scope, receive, send)
            return
        if principal.session_id and path.startswith("/api/") and scope["method"] != "GET":
            await problem(
                RPCStatusCode.PERMISSION_DENIED,
                "Expected Authorization: Bearer TOKEN for what changes something, found a browser's session: "
                "any page could make a browser send that",
            )(scope, receive, send)
            return
        reset = _asking.set(principal)
        try:
            await self._app({**scope, _KEY: principal}, receive, send)
        finally:
            _asking.reset(reset)

    def _nobody(self, request: HTTPConnection, path: str, principal: Principal) -> Response:
        if principal.name:
            detail = f"Expected somebody with a grant, found {principal.name}, who has none: ask an admin of the gateway"
            return problem(RPCStatusCode.PERMISSION_DENIED, detail)
        if path != "/" and not path.startswith(_BROWSER):
            return unauthenticated("Expected Authorization: Bearer TOKEN, found nobody")
        query = request.scope["query_string"].decode("latin-1")
        there = request.scope["path"] + (f"?{query}" if query else "")
        login = f"{self._access.root_path}{LOGIN}"
        if request.scope["method"] == "GET" and "hx-request" not in request.headers:
            return RedirectResponse(f"{login}?next={quote(there, safe='')}", status_code=303)
        # A part of a page that is fetched again must not become the login page.
        refusal = unauthenticated("Expected somebody logged in, found nobody: the session is over")
        refusal.headers["hx-redirect"] = login
        return refusal


def unauthenticated(detail: str) -> Response:
    headers = {"www-authenticate": f'Bearer realm="{api_v1.PREFIX}"'}
    return problem(RPCStatusCode.UNAUTHENTICATED, detail, headers=headers)
