"""The HTTP API that schema registries share: looks schemas up, compares them, registers them.

Asks one question at a time, and again where the registry is busy. Not here: which schemas.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Self
from urllib.parse import quote

import httpx
import msgspec

TIMEOUT_S: Final = 10.0
ATTEMPTS: Final = 3
PAUSE_S: Final = 0.5
"""Before the second attempt; then twice as long."""
_MEDIA: Final = "application/vnd.schemaregistry.v1+json"
_BUSY: Final = frozenset({429, 502, 503, 504})
_FORBIDDEN: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404
_UNKNOWN: Final = frozenset({40401, 40402, 40403})
"""No such subject, version, or schema in a subject."""


class _Answer(msgspec.Struct, frozen=True):
    """What of answers is of use here; of each kind some."""

    id: int | None = None
    is_compatible: bool | None = None
    messages: tuple[str, ...] = ()
    error_code: int = 0
    message: str = ""


class RegistryError(Exception):
    """The registry cannot be asked, or refuses; the message says what to do."""


class Registry:
    """One registry, by its URL: `https://registry:8081`, with a path where the API is not at the root
    (Apicurio: `/apis/ccompat/v7`)."""

    def __init__(
        self, url: str, *, user: str = "", password: str = "", ca: Path | None = None
    ) -> None:
        """``ca`` is a file of certificates to trust instead of the system's.

        Raises:
            RegistryError: the URL is none, or carries a password; the file cannot be read.
        """
        self.url = url.rstrip("/")
        parsed = _parsed(self.url)
        try:
            verify = ssl.create_default_context(cafile=None if ca is None else str(ca))
        except OSError as error:
            raise RegistryError(f"Expected certificates in PEM in {ca}, found: {error}") from error
        self._client = httpx.Client(
            base_url=parsed,
            auth=(user, password) if user else None,
            headers={"Accept": f"{_MEDIA}, application/json"},
            timeout=TIMEOUT_S,
            verify=verify,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def number_of(self, subject: str, schema: str) -> int | None:
        """The number of just this schema in the subject; ``None`` if it is not there."""
        found = self._post(f"subjects/{quote(subject, safe='')}", schema)
        return None if found is None else _number(found, subject)

    def misfits(self, subject: str, schema: str) -> Sequence[str] | None:
        """Why the schema may not follow the latest one of the subject, by the subject's own rule of compatibility;
        empty if it may, ``None`` if there is no such subject."""
        path = f"compatibility/subjects/{quote(subject, safe='')}/versions/latest"
        found = self._post(path, schema, verbose="true")
        if found is None:
            return None
        if found.is_compatible is None:
            raise RegistryError(
                f"Expected is_compatible from {self.url}/{path}, found an answer without it"
            )
        if found.is_compatible:
            return ()
        return found.messages or ["the registry gives no reason"]

    def register(self, subject: str, schema: str) -> int:
        """The number that the schema has from now on; the same again for one that is there."""
        found = self._post(f"subjects/{quote(subject, safe='')}/versions", schema)
        if found is None:
            raise RegistryError(
                f"Expected {self.url} to register subject {subject}, found no such place: is the URL's path right?"
            )
        return _number(found, subject)

    def _post(self, path: str, schema: str, **query: str) -> _Answer | None:
        """The answer; ``None`` where the registry does not know what was asked for."""
        answer = self._answer(path, {"schema": schema}, query)
        body = _body(answer)
        if answer.is_success and body is not None:
            return body
        if answer.status_code == _NOT_FOUND and body is not None and body.error_code in _UNKNOWN:
            return None
        text = answer.text[:300] if body is None else body.message
        raise RegistryError(
            f"Expected an answer to {answer.request.method} {answer.url}, found {answer.status_code}: {text}. "
            + _advice(answer.status_code)
        )

    def _answer(self, path: str, body: dict[str, str], query: dict[str, str]) -> httpx.Response:
        pause_s = PAUSE_S
        for last in (*(False,) * (ATTEMPTS - 1), True):
            try:
                answer = self._client.post(
                    path, json=body, params=query, headers={"Content-Type": _MEDIA}
                )
            except httpx.HTTPError as error:
                if last:
                    raise RegistryError(
                        f"Expected a schema registry at {self.url}, found {type(error).__name__}: {error}. "
                        "Check the address, the certificates, and that it runs."
                    ) from error
            else:
                if last or answer.status_code not in _BUSY:
                    return answer
            time.sleep(pause_s)
            pause_s *= 2
        raise AssertionError("the last attempt answers or raises")


def _parsed(url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url + "/")
    except httpx.InvalidURL as error:
        raise RegistryError(
            f"Expected the URL of a schema registry, found {url!r}: {error}"
        ) from error
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise RegistryError(
            f"Expected the URL of a schema registry, as http://registry:8081, found {url!r}"
        )
    if parsed.userinfo:
        raise RegistryError(
            "Expected a URL without user and password, which end up in logs: give them by "
            "STREAMFLOW_SCHEMA_REGISTRY_USER and STREAMFLOW_SCHEMA_REGISTRY_PASSWORD"
        )
    return parsed


def _body(answer: httpx.Response) -> _Answer | None:
    try:
        return msgspec.json.decode(answer.content, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _number(found: _Answer, subject: str) -> int:
    if found.id is None:
        raise RegistryError(
            f"Expected the number of a schema of {subject}, found an answer without it"
        )
    return found.id


def _advice(status: int) -> str:
    if status in _FORBIDDEN:
        return (
            "Give user and password by STREAMFLOW_SCHEMA_REGISTRY_USER and STREAMFLOW_SCHEMA_REGISTRY_PASSWORD, and the "
            "user the right to read and write subjects of this namespace."
        )
    if status == _NOT_FOUND:
        return "Check the URL's path: Apicurio has this API at /apis/ccompat/v7."
    return "Look at the registry's log."
