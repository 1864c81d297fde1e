"""Where each setting of a profile comes from, for people who wonder why a command speaks to whom it does."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from streamflow.envconfig.environment import PREFIXES, Environment
from streamflow.envconfig.profiles import DEFAULT_PROFILE, ClientConfigProfile
from streamflow.envconfig.reading import config_file

MASK = "***"
_SECRET = re.compile(
    r"password|passphrase|secret|token|credential|authorization|cookie|api[._-]?key|key[._-](data|pem)|[._-]key$"
    r"|oauthbearer\.config"
)
_LOGIN = re.compile(r"(?<=://)[^/@]*@")


@dataclass(frozen=True)
class Setting:
    """One value of a profile."""

    name: str
    """Dots between its parts: ``tls.server_name``, ``kafka.sasl.password``."""
    value: Any
    origin: str
    """A variable, or a table of a file."""


def settings_of(
    profile: str | None = None, variables: Mapping[str, str] | None = None
) -> list[Setting]:
    """Every setting that a file or the environment makes, with secrets masked; nothing that is left to its default.

    Raises `ConfigError` as `ClientConfigProfile.load` does.
    """
    found = os.environ if variables is None else variables
    environ = Environment(found)
    name = profile or environ.get("PROFILE") or DEFAULT_PROFILE
    by_file = _flat(ClientConfigProfile.load(profile, override_env_vars=_only_places(found)))
    merged = _flat(ClientConfigProfile.load(profile, override_env_vars=found))
    table = f"{config_file(environ)} [profile.{name}]"
    settings: list[Setting] = []
    for setting, value in merged.items():
        variable = _variable(setting, found)
        if variable is None and setting not in by_file:
            continue  # it follows from another one
        settings.append(Setting(setting, masked(setting, value), variable or table))
    return settings


def profile_in_use(
    profile: str | None = None, variables: Mapping[str, str] | None = None
) -> Setting:
    """Which profile is looked at, and who says so."""
    found = os.environ if variables is None else variables
    if profile:
        return Setting("profile", profile, "--profile")
    variable = _variable("profile", found)
    if variable is not None:
        return Setting("profile", found[variable], variable)
    return Setting("profile", DEFAULT_PROFILE, "default")


def masked(name: str, value: Any) -> Any:
    """The value for people to see: secrets by their name, and logins within an address, are masked."""
    if _SECRET.search(name.lower()) and not name.endswith((".path", ".location")):
        return MASK
    return _LOGIN.sub(f"{MASK}@", value) if isinstance(value, str) else value


def _flat(profile: ClientConfigProfile) -> dict[str, Any]:
    values = dict(profile.to_dict())
    if profile.retention is not None:
        values["retention_days"] = profile.retention.days
    return dict(_leaves("", values))


def _leaves(prefix: str, values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            found += _leaves(f"{prefix}{name}.", cast("Mapping[str, Any]", value))
        else:
            found.append((prefix + name, value))
    return found


def _only_places(variables: Mapping[str, str]) -> dict[str, str]:
    """The variables that say which file and profile, and nothing of what is in them."""
    places = {prefix + name for prefix in PREFIXES for name in ("CONFIG_FILE", "PROFILE")}
    places |= {"HOME", "XDG_CONFIG_HOME"}
    return {name: value for name, value in variables.items() if name in places}


def _variable(setting: str, variables: Mapping[str, str]) -> str | None:
    """The variable that makes it, if one does."""
    ending = "TLS" if setting == "tls.disabled" else re.sub(r"[^A-Z0-9]", "_", setting.upper())
    prefixes = PREFIXES[:1] if setting.startswith("kafka.") else PREFIXES
    return next((prefix + ending for prefix in prefixes if variables.get(prefix + ending)), None)
