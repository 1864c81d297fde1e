"""An OpenID provider: where to send people, what comes back with them, and which tokens are its own.

The authorization code flow with PKCE. What verifies tokens is `joserfc` (the extra `oidc`); what is expected of their claims is here.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import time
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode

import httpx

from streamflow.gateway.access.settings import OIDC, AccessError

if TYPE_CHECKING:
    from joserfc.jwk import KeySet

ALGORITHMS = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
)
"""With public keys only: a provider's key must not be usable as a shared secret."""
LEEWAY_S = 30
"""By which clocks may differ."""
FRESH_S = 3600.0
"""The provider's description and keys are read again after so long."""
REFRESH_MIN_S = 10.0
"""A key that is not known is looked for no more often: anybody can make tokens that name one."""
TIMEOUT_S = 10.0


class OIDCError(Exception):
    """A login or a token that cannot be believed, or a provider that does not answer."""


class Provider:
    """Used from one event loop."""

    def __init__(self, settings: OIDC, http: httpx.AsyncClient | None = None) -> None:
        """Raises `AccessError` where the library that verifies tokens is missing."""
        if find_spec("joserfc") is None:
            raise AccessError(
                "Expected joserfc for logins by OIDC, found that it is not installed: pip install 'streamflow[oidc]'"
            )
        self.settings = settings
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False)
        self._metadata: dict[str, Any] = {}
        self._keys: KeySet | None = None
        self._read_s = float("-inf")
        self._reading = asyncio.Lock()

    # -- the flow -------------------------------------------------------------------------------------------------

    async def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, verifier: str
    ) -> str:
        """Where the browser goes to log in."""
        await self._refresh()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.settings.client_id,
                "redirect_uri": redirect_uri,
                "scope": " ".join(self.settings.scopes),
                "state": state,
                "nonce": nonce,
                "code_challenge": challenge.rstrip(b"=").decode(),
                "code_challenge_method": "S256",
            }
        )
        endpoint = self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def exchange(
        self, code: str, *, redirect_uri: str, nonce: str, verifier: str
    ) -> Mapping[str, Any]:
        """The claims of the ID token that the code stands for."""
        await self._refresh()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self.settings.client_id,
        }
        if self.settings.client_secret:
            form["client_secret"] = self.settings.client_secret
        answer = await self._ask("POST", self._endpoint("token_endpoint"), form)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OIDCError("Expected an ID token from the provider, found none")
        claims = await self._claims(token, audiences=(self.settings.client_id,))
        if claims.get("nonce") != nonce:
            raise OIDCError("Expected the ID token of this login, found another's")
        audience = claims["aud"]
        several = isinstance(audience, list) and len(cast("list[object]", audience)) > 1
        if several and claims.get("azp") != self.settings.client_id:
            raise OIDCError("Expected an ID token made for this gateway, found one for another")
        return claims

    async def end_session_url(self, *, back: str) -> str:
        """Where the browser goes to end its session at the provider too, and then to ``back``; empty where it offers nothing."""
        await self._refresh()
        if not self._metadata.get("end_session_endpoint"):
            return ""
        endpoint = self._endpoint("end_session_endpoint")
        query = urlencode({"client_id": self.settings.client_id, "post_logout_redirect_uri": back})
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"

    async def bearer(self, token: str) -> Mapping[str, Any]:
        """The claims of an access token that a caller brought."""
        await self._refresh()
        return await self._claims(token, audiences=self.settings.audiences)

    def identities(self, claims: Mapping[str, Any]) -> tuple[str, Iterable[str]]:
        """A name for logs, and everything that grants may call its bearer."""
        name = claims.get(self.settings.user_claim)
        if self.settings.user_claim == "email" and claims.get("email_verified") is not True:
            name = None  # anybody may have typed it
        if not isinstance(name, str) or not name:
            name = str(claims["sub"])
        groups = _groups(claims, self.settings.groups_claim)
        return f"user:{name}", [f"user:{name}", *(f"group:{group}" for group in groups)]

    # -- tokens ---------------------------------------------------------------------------------------------------

    async def _claims(self, token: str, *, audiences: Iterable[str]) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            try:
                found = jwt.decode(token, self._known_keys(), algorithms=list(ALGORITHMS))
            except (JoseError, ValueError):
                # Perhaps a key that the provider has had since.
                if not await self._refresh(older_than_s=REFRESH_MIN_S):
                    raise
                found = jwt.decode(token, self._known_keys(), algorithms=list(ALGORITHMS))
            expected = jwt.JWTClaimsRegistry(
                leeway=LEEWAY_S,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "values": list(audiences)},
                sub={"essential": True},
                exp={"essential": True},
            )
            expected.validate(found.claims)
        except (JoseError, ValueError) as error:
            raise OIDCError(
                f"Expected a valid token of {self.settings.issuer}, found: {error}"
            ) from error
        return found.claims

    def _known_keys(self) -> KeySet:
        assert self._keys is not None, "Expected keys to have been read before"
        return self._keys

    # -- the provider ---------------------------------------------------------------------------------------------

    async def _refresh(self, older_than_s: float = FRESH_S) -> bool:
        """Reads description and keys again if they are older than that; whether it did. Old ones stay if it cannot."""
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        async with self._reading:
            if time.monotonic() - self._read_s < older_than_s:
                return False
            try:
                issuer = self.settings.issuer
                place = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
                metadata = await self._ask("GET", place)
                if metadata.get("issuer") != issuer:
                    raise OIDCError(
                        f"Expected the issuer {issuer!r}, found {metadata.get('issuer')!r} in {place}"
                    )
                keys = await self._ask("GET", str(metadata.get("jwks_uri")))
                self._keys = KeySet.import_key_set({"keys": list(keys.get("keys", []))})
            except (OIDCError, JoseError, TypeError, ValueError) as error:
                if self._keys is None:
                    raise OIDCError(str(error)) from error
                self._read_s = time.monotonic() - FRESH_S + REFRESH_MIN_S
                return False
            self._metadata, self._read_s = metadata, time.monotonic()
            return True

    def _endpoint(self, name: str) -> str:
        found = self._metadata.get(name)
        if not isinstance(found, str) or not found.startswith(("https://", "http://")):
            raise OIDCError(f"Expected {name} of the provider, found {found!r}")
        return found

    async def _ask(
        self, method: str, url: str, form: dict[str, str] | None = None
    ) -> dict[str, Any]:
        try:
            answer = await self._http.request(
                method, url, data=form, headers={"accept": "application/json"}
            )
            body = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise OIDCError(f"Expected an answer from {url}, found: {error!r}") from error
        if not isinstance(body, dict) or not answer.is_success:
            said = answer.text[:200]
            raise OIDCError(f"Expected an answer from {url}, found {answer.status_code}: {said!r}")
        return cast("dict[str, Any]", body)

    async def close(self) -> None:
        await self._http.aclose()


def _groups(claims: Mapping[str, Any], path: str) -> list[str]:
    """What the claim names: a list, or one alone. Anything else is nobody's group."""
    found: object = claims
    for part in path.split("."):
        if not isinstance(found, Mapping):
            return []
        found = cast("Mapping[str, object]", found).get(part)
    if isinstance(found, str):
        return [found]
    several = cast("list[object]", found) if isinstance(found, list) else []
    return [group for group in several if isinstance(group, str)]
