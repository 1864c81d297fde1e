"""The access file: what it may say, and how what it may not is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from streamflow.gateway.access import AccessError, AccessSettings, Grant, Role, load_access
from streamflow.gateway.access.settings import hashed

TOKEN = "a-token-of-more-than-twenty-characters"
EVERYTHING = f"""
[[token]]
name = "ci"
env = "CI_TOKEN"
[[token]]
name = "hashed"
sha256 = "{hashed("another-token-that-is-long-enough")}"
[oidc]
issuer = "https://id.example/realms/shop"
client_id = "streamflow"
client_secret_env = "OIDC_SECRET"
groups_claim = "realm_access.roles"
[[grant]]
role = "operator"
to = ["token:ci", "group:on-call"]
namespaces = ["shop"]
workflow_types = ["Order"]
[session]
secret_env = "SESSION_SECRET"
hours = 1
"""
ENVIRON = {"CI_TOKEN": TOKEN, "OIDC_SECRET": "s", "SESSION_SECRET": "x" * 32}


def load(tmp_path: Path, text: str, environ: dict[str, str] = ENVIRON) -> AccessSettings:
    file = tmp_path / "access.toml"
    file.write_text(text)
    found = load_access(file, environ)
    assert found is not None
    return found


def test_a_file_says_who_may_what(tmp_path: Path) -> None:
    """Secrets are where it says; tokens are kept by their hashes."""
    found = load(tmp_path, EVERYTHING)

    assert [token.name for token in found.tokens] == ["ci", "hashed"]
    assert found.tokens[0].sha256 == hashed(TOKEN)
    assert found.grants == (
        Grant(
            role=Role.OPERATOR,
            to=("token:ci", "group:on-call"),
            namespaces=("shop",),
            workflow_types=("Order",),
        ),
    )
    assert found.oidc is not None
    assert (found.oidc.client_secret, found.oidc.label) == ("s", "id.example")
    assert found.oidc.audiences == ("streamflow",)
    assert (found.session_secret, found.session_s) == (b"x" * 32, 3600)


def test_one_token_needs_no_file() -> None:
    """It is an admin's. Without either there is no login."""
    assert load_access(None, {}) is None
    found = load_access(None, {}, admin_token=TOKEN)
    assert found is not None
    assert found.grants == (Grant(role=Role.ADMIN, to=("token:admin",)),)


def test_secrets_may_be_files(tmp_path: Path) -> None:
    """As a cluster mounts them, with the newline that an editor left."""
    (tmp_path / "ci").write_text(f"{TOKEN}\n")
    text = f'[[token]]\nname = "ci"\nfile = "{tmp_path}/ci"\n[[grant]]\nrole = "viewer"\nto = ["token:ci"]'
    assert load(tmp_path, text, {}).tokens[0].sha256 == hashed(TOKEN)


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ('role = "operator"', 'role = "root"', "viewer, operator, admin, found 'root'"),
        ('"token:ci", "group', '"token:cj", "group', "known tokens, found 'token:cj'"),
        ('"token:ci", "group', '"ci", "group', "Expected a grant to anyone, token:NAME"),
        ('to = ["token:ci", "group:on-call"]', "to = []", "for somebody, found nobody"),
        ('env = "CI_TOKEN"', 'env = "NONE"', "in the variable NONE, found nothing"),
        ('env = "CI_TOKEN"', 'env = "OIDC_SECRET"', "at least 20 characters, found 1"),
        ('env = "CI_TOKEN"', 'file = "/nowhere"', "Expected token 'ci' in /nowhere"),
        ('env = "CI_TOKEN"', 'env = "CI_TOKEN"\nfile = "x"', "one of env, file and sha256"),
        ('name = "hashed"', 'name = "ci"', "a name for each token"),
        ('issuer = "https', 'issuer = "http', "issuer by https"),
        ("hours = 1", 'hours = "1"', "Expected `float`, got `str`"),
        ("hours = 1", "colour = 1", "unknown field `colour`"),
        ('"SESSION_SECRET"', '"OIDC_SECRET"', "at least 32 bytes, found 1"),
        ("[[token]]", "[[token]", "Expected TOML"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(
    tmp_path: Path, was: str, becomes: str, says: str
) -> None:
    """A gateway with a file that is half understood must not start."""
    assert was in EVERYTHING
    with pytest.raises(AccessError) as raised:
        load(tmp_path, EVERYTHING.replace(was, becomes, 1))
    assert says in str(raised.value)
    assert TOKEN not in str(raised.value)


def test_a_file_without_grants_is_refused(tmp_path: Path) -> None:
    """Nobody could do anything, which nobody means."""
    with pytest.raises(AccessError, match="Expected a \\[\\[grant\\]\\]"):
        load(tmp_path, "")
    with pytest.raises(AccessError, match="Expected an access file"):
        load_access(tmp_path / "none.toml", {})
