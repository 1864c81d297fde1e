"""The rules of time zones, for cron schedules: read from the system, or from the `tzdata` package where it has none."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def zone_rules(name: str) -> tzinfo:
    """The rules of this zone; they are read once for each name.

    Raises:
        ValueError: there is no such zone.
    """
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f"Expected the IANA name of a time zone like Europe/Berlin, found {name!r}"
        ) from None
