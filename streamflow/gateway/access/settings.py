"""What the access file of a gateway says, with secrets looked up where it says they are.

[[token]]
name = "ci"
env = "CI_TOKEN"                     # or file = "/run/secrets/ci", or sha256 = "<hex of the token's hash>"

[oidc]
issuer = "https://id.example/realms/shop"
client_id = "streamflow"
client_secret_env = "OIDC_SECRET"    # or client_secret_file; neither for a public client

[[grant]]
role = "operator"
to = ["token:ci", "group:on-call", "user:ada@shop.example"]
namespaces = ["shop"]                # all when left out
workflow_types = ["Order"]           # all when left out

[session]
secret_env = "SESSION_SECRET"        # or secret_file; shared by all replicas
hours = 8
"""

from __future__ import annotations

import hashlib
import re
import secrets
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from streamflow.gateway.access.roles import ADDRESSED, ANYONE, Grant, Role
from streamflow.gateway.access.sealing import SECRET_BYTES_MIN
from streamflow.gateway.public import PublicAddress

TOKEN_CHARS_MIN = 20
"""Tokens are guarded by their length alone: nothing counts wrong ones."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


class AccessError(ValueError):
    """The access file cannot be used; the message says where and what was expected."""


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A static token, known by its hash."""

    name: str
    sha256: str


class OIDC(msgspec.Struct, frozen=True, kw_only=True):
    """An OpenID provider, and what is believed of its tokens."""

    issuer: str
    client_id: str
    client_secret: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    audiences: tuple[str, ...] = ()
    """Of bearer tokens; the client ID when left out."""
    user_claim: str = "email"
    """Names people; an email only where the provider has verified it, else ``sub`` does."""
    groups_claim: str = "groups"
    """Dots lead into objects: ``realm_access.roles``."""
    label: str = ""
    """On the login page's button; the issuer's host when left out."""


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    tokens: tuple[Token, ...] = ()
    oidc: OIDC | None = None
    grants: tuple[Grant, ...] = ()
    session_secret: bytes
    session_s: float = 8 * 3600.0


class _TokenTable(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    env: str = ""
    file: str = ""
    sha256: str = ""


class _OidcTable(msgspec.Struct, forbid_unknown_fields=True):
    issuer: str
    client_id: str
    client_secret_env: str = ""
    client_secret_file: str = ""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    audiences: list[str] = []
    user_claim: str = "email"
    groups_claim: str = "groups"
    label: str = ""


class _GrantTable(msgspec.Struct, forbid_unknown_fields=True):
    role: str
    to: list[str]
    namespaces: list[str] = []
    workflow_types: list[str] = []


class _SessionTable(msgspec.Struct, forbid_unknown_fields=True):
    secret_env: str = ""
    secret_file: str = ""
    hours: float = 8.0


class _File(msgspec.Struct, forbid_unknown_fields=True):
    token: list[_TokenTable] = []
    grant: list[_GrantTable] = []
    oidc: _OidcTable | None = None
    session: _SessionTable | None = None


def load_access(
    path: Path | None, environ: Mapping[str, str], *, admin_token: str = ""
) -> AccessSettings | None:
    """What the file says; ``None`` where there is neither a file nor a token. ``admin_token`` is an admin's, called `admin`.

    Raises:
        AccessError: the file or a secret cannot be read, or does not fit.
    """
    if path is None and not admin_token:
        return None
    file = _File() if path is None else _read(path)
    tokens = [_token(table, environ) for table in file.token]
    grants = [_grant(table) for table in file.grant]
    if admin_token:
        tokens.append(Token(name="admin", sha256=hashed(_long_enough("admin", admin_token))))
        grants.append(Grant(role=Role.ADMIN, to=("token:admin",)))
    names = [token.name for token in tokens]
    if len(set(names)) < len(names):
        raise AccessError(f"Expected a name for each token, found {', '.join(names)}")
    if not grants:
        raise AccessError("Expected a [[grant]] at least, found none: nobody could do anything")
    for grant in grants:
        for one in grant.to:
            if one.startswith("token:") and one.removeprefix("token:") not in names:
                raise AccessError(f"Expected grants for known tokens, found {one!r}")
    session = file.session or _SessionTable()
    return AccessSettings(
        tokens=tuple(tokens),
        oidc=None if file.oidc is None else _oidc(file.oidc, environ),
        grants=tuple(grants),
        session_secret=_session_secret(session, environ),
        session_s=session.hours * 3600,
    )


def without_login() -> AccessSettings:
    """Whoever asks may do everything; what is changed is noted all the same."""
    everybody = Grant(role=Role.ADMIN, to=(ANYONE,))
    return AccessSettings(grants=(everybody,), session_secret=secrets.token_bytes(SECRET_BYTES_MIN))


def hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _read(path: Path) -> _File:
    try:
        document: dict[str, Any] = tomllib.loads(path.read_text())
    except OSError as error:
        raise AccessError(f"Expected an access file at {path}, found: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AccessError(f"Expected TOML in {path}, found: {error}") from error
    try:
        return msgspec.convert(document, _File)
    except msgspec.ValidationError as error:
        raise AccessError(
            f"Expected [[token]], [oidc], [[grant]] and [session] in {path} as documented, found: {error}"
        ) from error


def _token(table: _TokenTable, environ: Mapping[str, str]) -> Token:
    if sum(map(bool, (table.env, table.file, table.sha256))) != 1:
        raise AccessError(f"Expected one of env, file and sha256 for token {table.name!r}")
    if table.sha256:
        if not _SHA256.fullmatch(table.sha256):
            raise AccessError(f"Expected sha256 of token {table.name!r} as 64 hex digits")
        return Token(name=table.name, sha256=table.sha256)
    text = read_secret(f"token {table.name!r}", table.env, table.file, environ)
    return Token(name=table.name, sha256=hashed(_long_enough(table.name, text)))


def _long_enough(name: str, token: str) -> str:
    if len(token) < TOKEN_CHARS_MIN:
        raise AccessError(
            f"Expected token {name!r} of at least {TOKEN_CHARS_MIN} characters, found {len(token)}: make one with "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
        )
    return token


def _grant(table: _GrantTable) -> Grant:
    words = {role.word: role for role in Role}
    role = words.get(table.role)
    if role is None:
        raise AccessError(
            f"Expected a role that is one of {', '.join(words)}, found {table.role!r}"
        )
    for one in table.to:
        kind, _, name = one.partition(":")
        if one != ANYONE and not (kind in ("token", "user", "group") and name):
            raise AccessError(f"Expected a grant to {', '.join(ADDRESSED)}, found {one!r}")
    if not table.to:
        raise AccessError(f"Expected the grant of {table.role} to be for somebody, found nobody")
    return Grant(
        role=role,
        to=tuple(table.to),
        namespaces=tuple(table.namespaces),
        workflow_types=tuple(table.workflow_types),
    )


def _oidc(table: _OidcTable, environ: Mapping[str, str]) -> OIDC:
    where = PublicAddress.parse(table.issuer)
    if not where.secure and where.host not in ("127.0.0.1", "localhost", "::1"):
        raise AccessError(f"Expected an issuer by https, found {table.issuer!r}")
    if "openid" not in table.scopes:
        raise AccessError(f"Expected the scope openid, found {', '.join(table.scopes)}")
    secret = ""
    if table.client_secret_env or table.client_secret_file:
        secret = read_secret(
            "client_secret", table.client_secret_env, table.client_secret_file, environ
        )
    return OIDC(
        issuer=table.issuer,
        client_id=table.client_id,
        client_secret=secret,
        scopes=table.scopes,
        audiences=tuple(table.audiences or [table.client_id]),
        user_claim=table.user_claim,
        groups_claim=table.groups_claim,
        label=table.label or where.host,
    )


def _session_secret(table: _SessionTable, environ: Mapping[str, str]) -> bytes:
    """One of this process alone where none is given: its end ends every session."""
    if not table.secret_env and not table.secret_file:
        return secrets.token_bytes(SECRET_BYTES_MIN)
    secret = read_secret("session.secret", table.secret_env, table.secret_file, environ).encode()
    if len(secret) < SECRET_BYTES_MIN:
        raise AccessError(
            f"Expected a session secret of at least {SECRET_BYTES_MIN} bytes, found {len(secret)}"
        )
    return secret


def read_secret(what: str, env: str, file: str, environ: Mapping[str, str]) -> str:
    """From the variable or the file. Raises `AccessError` where it is in neither, or both are named."""
    if env and file:
        raise AccessError(f"Expected {what} from a variable or a file, found both")
    if env:
        found = environ.get(env, "")
        if not found:
            raise AccessError(f"Expected {what} in the variable {env}, found nothing")
        return found
    try:
        found = Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AccessError(f"Expected {what} in {file}, found: {error}") from error
    if not found:
        raise AccessError(f"Expected {what} in {file}, found nothing")
    return found
