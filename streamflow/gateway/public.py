"""Where people find the gateway when something stands before it: a proxy with a name, TLS and perhaps a path of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

_OWN_PATHS = ("/ui", "/api", "/auth", "/hooks")
"""A root path that begins like a path of ours could be told neither from it nor from one that a proxy has taken away."""


@dataclass(frozen=True)
class PublicAddress:
    """``https://flows.example/streamflow`` in its parts."""

    origin: str
    host: str
    root_path: str
    """``/streamflow``; empty at the top."""

    @property
    def url(self) -> str:
        """Without a slash at its end."""
        return self.origin + self.root_path

    @property
    def secure(self) -> bool:
        """Whether browsers come by TLS."""
        return self.origin.startswith("https://")

    @classmethod
    def parse(cls, url: str) -> Self:
        """Raises ValueError for anything but ``http(s)://HOST[:PORT][/PATH]``."""
        try:
            found = urlsplit(url)
            host, port = found.hostname, found.port
        except ValueError as error:
            raise _refused(url) from error
        if found.scheme not in ("http", "https") or not host or found.query or found.fragment:
            raise _refused(url)
        if found.username is not None or found.password is not None:
            raise _refused(url)
        default = {"http": 80, "https": 443}[found.scheme]
        name = f"[{host}]" if ":" in host else host
        shown = name if port in (None, default) else f"{name}:{port}"
        return cls(f"{found.scheme}://{shown}", host, root_path(found.path))


def root_path(path: str) -> str:
    """As it stands before our own paths. Raises ValueError for one that cannot be told from them."""
    root = path.rstrip("/")
    if not root:
        return ""
    plain = root.startswith("/") and all(
        part not in ("", ".", "..") for part in root[1:].split("/")
    )
    if not plain or not root.isascii() or any(one in root for one in "%?# \"'<>\\;,"):
        raise ValueError(
            f"Expected a root path of plain names, such as /streamflow, found {path!r}"
        )
    if root.startswith(_OWN_PATHS):
        raise ValueError(
            f"Expected a root path that does not begin with {', '.join(_OWN_PATHS)}, found {path!r}"
        )
    return root


def _refused(url: str) -> ValueError:
    return ValueError(f"Expected a public URL like https://flows.example/streamflow, found {url!r}")
