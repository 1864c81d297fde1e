"""Reads a configuration file into tables, and says what is wrong with it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

import msgspec

from streamflow.config import config_home
from streamflow.envconfig.environment import Environment

DataSource: TypeAlias = Path | str | bytes
"""A path, or the text itself as text or bytes."""


class ConfigError(ValueError, RuntimeError):
    """The settings cannot be read; the message says where and what was expected."""


def load_tables(source: DataSource | None, environ: Environment) -> dict[str, dict[str, Any]]:
    """The profiles of the source, else of the file that the environment names, else of the default file if there is one."""
    if isinstance(source, str | bytes):
        return _parse(source, "the given text")
    given = cast(object, source)
    if not isinstance(given, Path | None):
        raise TypeError(
            f"config_source must be one of pathlib.Path, str, bytes, or None, found {type(given).__name__}"
        )
    named = given or environ.get("CONFIG_FILE")
    path = Path(named) if named else config_file(environ)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        if named:
            raise ConfigError(f"Expected a configuration file at {path}, found none") from None
        return {}
    except OSError as error:
        raise ConfigError(f"Expected to read {path}, found: {error}") from error
    return _parse(content, str(path))


def config_file(environ: Environment) -> Path:
    """The file that is read unless another one is given. It need not be there."""
    named = environ.get("CONFIG_FILE")
    return Path(named) if named else config_home(environ.variables) / "streamflow.toml"


def _parse(content: str | bytes, where: str) -> dict[str, dict[str, Any]]:
    try:
        text = content.decode() if isinstance(content, bytes) else content
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"TOML parse error: expected TOML in {where}, found: {error}") from error
    profiles = document.get("profile", {})
    try:
        return msgspec.convert(profiles, dict[str, dict[str, Any]])
    except msgspec.ValidationError:
        raise ConfigError(
            f"Expected tables [profile.NAME] in {where}, found {profiles!r}"
        ) from None


def check(
    table: Mapping[str, Any],
    types: Mapping[str, type | tuple[type, ...]],
    where: str,
    *,
    strict: bool,
) -> None:
    """Raises `ConfigError` for a value of another type and, if strict, for an unknown name."""
    for name, value in table.items():
        expected = types.get(name)
        if expected is None and strict:
            raise ConfigError(
                f"unknown field `{name}` in {where}: expected {', '.join(sorted(types))}"
            )
        if expected is not None and not isinstance(value, expected):
            what = expected[0] if isinstance(expected, tuple) else expected
            raise ConfigError(f"Expected {where}.{name} to be a {what.__name__}, found {value!r}")


def read_source(source: DataSource | None) -> bytes | None:
    """What it holds. Raises `ConfigError` for a file that cannot be read."""
    match source:
        case None | bytes():
            return source
        case str():
            return source.encode()
        case Path():
            try:
                return source.read_bytes()
            except OSError as error:
                raise ConfigError(f"Expected to read {source}, found: {error}") from error
