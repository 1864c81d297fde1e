"""What a converter of one encoding promises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from streamflow.model.payload import Payload


class EncodingPayloadConverter(ABC):
    """Converts by one encoding, named in each payload's metadata."""

    @property
    @abstractmethod
    def encoding(self) -> str:
        """The name of the encoding, such as ``json/plain``."""

    @abstractmethod
    def to_payload(self, value: Any) -> Payload | None:
        """The value's payload; ``None`` if this is not a value for this encoding."""

    @abstractmethod
    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """The payload's value, as the hint wants it where one is given."""
