"""Logging in and out: a static token in a form, or the OpenID provider; either way a session's cookie is the outcome.

Who logs out after a login by the provider is offered to log out there too. It is a link, for a form may not lead to another site.

Also who logs in by the provider carries a sealed cookie while they are there: what comes back must fit what was sent, and be the
same browser's.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from streamflow.gateway.access import Access
from streamflow.gateway.access.identify import LOGIN, SESSION, principal_of
from streamflow.gateway.access.oidc import OIDCError
from streamflow.observability import get_logger
from streamflow.ui.site import FORM_TOKEN, HEADERS, Problem, Site, read_form, root_of

UNDERWAY = "login"
UNDERWAY_S = 600.0
"""How long somebody may take at the provider."""
CALLBACK = "/auth/callback"
PROVIDER = "provider"
"""In addresses: by whom somebody had logged in."""

log = get_logger("audit")


def login_routes(site: Site, access: Access, public_url: str = "") -> list[BaseRoute]:
    """``public_url`` is where browsers find the gateway; the address of the request when left out."""
    logins = _Logins(site, access, public_url)
    return [
        Route(LOGIN, logins.form, methods=["GET"]),
        Route(LOGIN, logins.by_token, methods=["POST"]),
        Route("/auth/oidc", logins.to_provider, methods=["GET"]),
        Route(CALLBACK, logins.from_provider, methods=["GET"]),
        Route("/auth/logout", logins.out, methods=["POST"]),
    ]


class _Logins:
    def __init__(self, site: Site, access: Access, public_url: str) -> None:
        self._site = site
        self._access = access
        self._public_url = public_url

    async def form(self, request: Request) -> Response:
        asked = request.query_params
        there = await self._end_of_session(request) if asked.get("by") == PROVIDER else ""
        return self._page(request, said=asked.get("said", ""), elsewhere=there)

    async def by_token(self, request: Request) -> Response:
        if not request.headers.get("origin"):
            return self._page(
                request, why="Expected a form of this page, found no origin", code=403
            )
        try:
            sent = await read_form(request)
        except Problem as problem:
            return self._page(request, why=problem.message, code=problem.status_code)
        cookie = self._access.session_of_token(sent.get("token", "").strip())
        if cookie is None:
            log.warning("login", how="token", outcome="refused")
            return self._page(request, why="Expected a token that is known here", code=401)
        log.info("login", how="token", outcome="done")
        return self._logged_in(request, cookie, sent.get("next", ""))

    async def to_provider(self, request: Request) -> Response:
        provider = self._access.provider
        if provider is None:
            return self._page(request, why="There is no OpenID provider here", code=404)
        sent = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        try:
            there = await provider.authorization_url(redirect_uri=self._callback(request), **sent)
        except OIDCError as error:
            log.warning("login", how="oidc", outcome="failed", error=str(error))
            return self._page(
                request, why=f"The OpenID provider cannot be asked: {error}", code=502
            )
        response = RedirectResponse(there, status_code=303, headers=dict(HEADERS))
        kept = {**sent, "next": request.query_params.get("next", "")[:2000]}
        underway = self._access.sealer.seal(UNDERWAY, kept, seconds=UNDERWAY_S)
        self._access.set_cookie(response, UNDERWAY, underway, UNDERWAY_S)
        return response

    async def from_provider(self, request: Request) -> Response:
        provider, asked = self._access.provider, request.query_params
        cookie = request.cookies.get(self._access.cookie_name(UNDERWAY), "")
        kept = self._access.sealer.unseal(UNDERWAY, cookie)
        if provider is None or kept is None:
            return self._page(
                request,
                why="Expected a login that was begun here, found none: begin anew",
                code=400,
            )
        if not hmac.compare_digest(asked.get("state", "").encode(), kept["state"].encode()):
            return self._page(
                request, why="Expected the login begun here, found another's", code=400
            )
        if "code" not in asked:
            why = f"The OpenID provider did not log you in: {asked.get('error', 'no code')[:200]}"
            log.warning("login", how="oidc", outcome="refused", error=asked.get("error", ""))
            return self._page(request, why=why, code=403)
        try:
            claims = await provider.exchange(
                asked["code"],
                redirect_uri=self._callback(request),
                nonce=kept["nonce"],
                verifier=kept["verifier"],
            )
        except OIDCError as error:
            log.warning("login", how="oidc", outcome="refused", error=str(error))
            return self._page(request, why=f"The login cannot be believed: {error}", code=403)
        log.info("login", how="oidc", who=provider.identities(claims)[0], outcome="done")
        response = self._logged_in(request, self._access.session_of_claims(claims), kept["next"])
        self._access.drop_cookie(response, UNDERWAY)
        return response

    async def out(self, request: Request) -> Response:
        try:
            sent = await read_form(request)
        except Problem as problem:
            return self._page(request, why=problem.message, code=problem.status_code)
        if not self._access.takes_form(principal_of(request), sent.get(FORM_TOKEN, "")):
            why = "Expected a form of a page of this session: load the page again"
            return self._page(request, why=why, code=403)
        there = f"{root_of(request)}{LOGIN}?said=out"
        if not principal_of(request).name.startswith("token:"):
            there += f"&by={PROVIDER}"
        response = RedirectResponse(there, status_code=303, headers=dict(HEADERS))
        self._access.drop_cookie(response, SESSION)
        return response

    async def _end_of_session(self, request: Request) -> str:
        """Where the provider's own session ends; empty where that cannot be known."""
        provider = self._access.provider
        if provider is None:
            return ""
        try:
            return await provider.end_session_url(back=f"{self._base(request)}{LOGIN}")
        except OIDCError as error:
            log.warning("logout", how="oidc", outcome="failed", error=str(error))
            return ""

    # -- answers --------------------------------------------------------------------------------------------------

    def _logged_in(self, request: Request, cookie: str, wanted: str) -> Response:
        root = root_of(request)
        # Only pages of ours: a login must not lead to where somebody else's link says.
        there = wanted if wanted.startswith(f"{root}/ui/") and "\\" not in wanted else f"{root}/"
        response = RedirectResponse(there, status_code=303, headers=dict(HEADERS))
        self._access.set_cookie(response, SESSION, cookie, self._access.settings.session_s)
        return response

    def _callback(self, request: Request) -> str:
        return f"{self._base(request)}{CALLBACK}"

    def _base(self, request: Request) -> str:
        """Where browsers find the gateway."""
        return self._public_url or str(request.base_url).rstrip("/")

    def _page(
        self,
        request: Request,
        *,
        why: str = "",
        said: str = "",
        elsewhere: str = "",
        code: int = 200,
    ) -> Response:
        settings, root = self._access.settings, root_of(request)
        wanted = request.query_params.get("next", "")
        return self._site.page(
            "login.html",
            request,
            None,
            status_code=code,
            why=why,
            said="You are logged out." if said == "out" else "",
            elsewhere=elsewhere,
            wanted=wanted,
            tokens=bool(settings.tokens),
            here=f"{root}{LOGIN}",
            provider="" if settings.oidc is None else settings.oidc.label,
            oidc=f"{root}/auth/oidc?next={quote(wanted, safe='')}",
        )
