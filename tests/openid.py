"""An OpenID provider for tests: a real one in what it asks, signs and refuses, with people who need no password."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT = "streamflow"
SECRET = "a secret of the client's"


@dataclass
class OpenIDProvider:
    """Speaks the authorization code flow with PKCE; who logs in is the query parameter or form field ``person``."""

    issuer: str
    people: dict[str, dict[str, Any]]
    codes: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    overrides: dict[str, Any] = field(default_factory=dict[str, Any])
    """Claims that the next ID tokens have instead: what a liar would say."""
    keys_asked: int = 0
    ends_sessions: bool = True
    """Whether it says where sessions are ended."""

    def __post_init__(self) -> None:
        self.rotate()

    def rotate(self) -> None:
        """Another key from now on."""
        self.key = RSAKey.generate_key(2048, auto_kid=True)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/keys", self._keys),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/end", self._end),
            ]
        )

    def token(self, person: str, *, audience: str = CLIENT, **claims: Any) -> str:
        """An access token, as an API client would have got it."""
        return self.signed({**self._claims(person, audience), **claims})

    def signed(self, claims: dict[str, Any], **header: str) -> str:
        return jwt.encode({"alg": "RS256", "kid": self.key.kid, **header}, claims, self.key)

    def _claims(self, person: str, audience: str) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": self.issuer,
            "aud": audience,
            "iat": now,
            "exp": now + 300,
            "sub": f"id-of-{person}",
            **self.people[person],
        }

    async def _configuration(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys",
                **({"end_session_endpoint": f"{self.issuer}/end"} if self.ends_sessions else {}),
            }
        )

    async def _keys(self, _request: Request) -> Response:
        self.keys_asked += 1
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        person = asked.get("person")
        if person is None:
            links = "".join(
                f'<p><a href="{request.url.include_query_params(person=name)}">{name}</a></p>'
                for name in self.people
            )
            return HTMLResponse(
                f'<!doctype html><link rel="icon" href="data:,"><title>Who are you?</title>{links}'
            )
        back = f"{asked['redirect_uri']}?state={asked['state']}"
        if person not in self.people:
            return RedirectResponse(f"{back}&error=access_denied", status_code=303)
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**asked, "person": person}
        return RedirectResponse(f"{back}&code={code}", status_code=303)

    async def _end(self, request: Request) -> Response:
        asked = request.query_params
        assert asked["client_id"] == CLIENT
        return RedirectResponse(asked["post_logout_redirect_uri"], status_code=303)

    async def _token(self, request: Request) -> Response:
        form = dict(
            part.split("=", 1) for part in (await request.body()).decode().split("&") if part
        )
        given = {name: unquote_plus(value) for name, value in form.items()}
        asked = self.codes.pop(given["code"], None)  # a code is good once
        digest = hashlib.sha256(given["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        good = (
            asked is not None
            and asked["code_challenge"] == challenge
            and asked["redirect_uri"] == given["redirect_uri"]
            and given["client_id"] == CLIENT
            and given["client_secret"] == SECRET
        )
        if not good or asked is None:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        claims = {
            **self._claims(asked["person"], CLIENT),
            "nonce": asked["nonce"],
            **self.overrides,
        }
        return JSONResponse({"id_token": self.signed(claims), "token_type": "Bearer"})
