"""Options that elsewhere choose and start a test server. Accepted, and without effect: the engine is in this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, TypedDict

from streamflow.common.options import shows


class _Common(TypedDict, total=False):
    retry_config: Any
    rpc_metadata: Mapping[str, str | bytes]
    port: int | None
    download_dest_dir: str | None


class TimeSkippingOptions(_Common, total=False):
    """Of `WorkflowEnvironment.start_time_skipping`."""

    test_server_existing_path: str | None
    test_server_download_version: str
    test_server_extra_args: Sequence[str]
    test_server_download_ttl: timedelta | None


class LocalOptions(_Common, total=False):
    """Of `WorkflowEnvironment.start_local`."""

    ip: str
    tls: Any
    ui: bool
    ui_port: int | None
    dev_server_existing_path: str | None
    dev_server_database_filename: str | None
    dev_server_log_format: str
    dev_server_log_level: str | None
    dev_server_download_version: str
    dev_server_extra_args: Sequence[str]
    dev_server_download_ttl: timedelta | None


_DEFAULTS: Final[Mapping[str, object]] = {
    "rpc_metadata": {},
    "test_server_download_version": "default",
    "test_server_extra_args": (),
    "ip": "127.0.0.1",
    "tls": False,
    "ui": False,
    "dev_server_log_format": "pretty",
    "dev_server_log_level": "warn",
    "dev_server_download_version": "default",
    "dev_server_extra_args": (),
}
takes_time_skipping_options = shows(TimeSkippingOptions, _DEFAULTS)
takes_local_options = shows(LocalOptions, _DEFAULTS)


def refuse_unknown(given: Mapping[str, object], known: type) -> None:
    """Raises TypeError for an option that no server has."""
    if unknown := given.keys() - known.__annotations__.keys():
        raise TypeError(
            f"Expected options of a test environment, found unknown {', '.join(sorted(unknown))}"
        )
