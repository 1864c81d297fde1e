"""Moments and spans of time within messages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from streamflow.api.message import Message, field
from streamflow.api.message_fields import long

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NANOS = 1_000_000_000


class Duration(Message):
    """A span of time."""

    seconds = long(1)
    nanos = field(2, 0)

    def FromTimedelta(self, td: timedelta) -> None:
        microseconds = td // timedelta(microseconds=1)
        self.seconds, rest = divmod(microseconds, 1_000_000)
        self.nanos = rest * 1_000

    def ToTimedelta(self) -> timedelta:
        return timedelta(seconds=self.seconds, microseconds=self.nanos // 1_000)

    def FromMilliseconds(self, millis: int) -> None:
        self.FromTimedelta(timedelta(milliseconds=millis))

    def ToMilliseconds(self) -> int:
        return self.ToTimedelta() // timedelta(milliseconds=1)

    def ToSeconds(self) -> int:
        return self.seconds

    def FromJsonString(self, value: str) -> None:
        """Raises: ValueError, for what is no number of seconds with an ``s``."""
        whole, point, rest = value.removesuffix("s").partition(".")
        if not value.endswith("s") or (point and not rest.isdigit()):
            raise ValueError(f"Expected a duration such as '1.5s', found {value!r}")
        nanos = int(rest.ljust(9, "0")[:9]) if point else 0
        self.seconds, self.nanos = int(whole), -nanos if whole.startswith("-") else nanos

    def ToJsonString(self) -> str:
        """As ``1.500s``: whole seconds, or with as many digits as are needed, in threes."""
        return f"{self.seconds}{fraction(self.nanos)}s"


class Timestamp(Message):
    """A moment, since the beginning of 1970 UTC."""

    seconds = long(1)
    nanos = field(2, 0)

    def ToDatetime(self, tzinfo: tzinfo | None = None) -> datetime:
        """In this time zone; without one, in UTC and naive."""
        moment = _EPOCH + timedelta(seconds=self.seconds, microseconds=self.nanos // 1_000)
        return moment.replace(tzinfo=None) if tzinfo is None else moment.astimezone(tzinfo)

    def FromDatetime(self, dt: datetime) -> None:
        """A naive one is taken as UTC."""
        aware = dt.replace(tzinfo=UTC) if dt.tzinfo is None else dt
        microseconds = (aware - _EPOCH) // timedelta(microseconds=1)
        self.seconds, rest = divmod(microseconds, 1_000_000)
        self.nanos = rest * 1_000

    def FromMilliseconds(self, millis: int) -> None:
        self.seconds, rest = divmod(millis, 1_000)
        self.nanos = rest * 1_000_000

    def ToMilliseconds(self) -> int:
        return self.ToNanoseconds() // 1_000_000

    def ToMicroseconds(self) -> int:
        return self.ToNanoseconds() // 1_000

    def ToNanoseconds(self) -> int:
        return self.seconds * _NANOS + self.nanos

    def ToSeconds(self) -> int:
        return self.seconds

    def FromJsonString(self, value: str) -> None:
        """Raises: ValueError, for what is no moment with its time zone."""
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError(f"Expected a moment with its time zone, found {value!r}")
        self.FromDatetime(moment)
        digits = re.search(r"\.(\d+)", value)
        if digits is not None:  # of which a datetime keeps six
            self.nanos = int(digits[1].ljust(9, "0")[:9])

    def ToJsonString(self) -> str:
        """As ``2026-01-31T12:00:00.250Z``."""
        moment = _EPOCH + timedelta(seconds=self.seconds)
        return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction(self.nanos)}Z"


def fraction(nanos: int) -> str:
    """Of a second, with its point: none, or 3, 6 or 9 digits."""
    if not nanos:
        return ""
    digits = f"{nanos:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f".{digits}"
