"""User data as the engine carries it: opaque bytes and how they were encoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import msgspec

from streamflow.model import protobuf

_METADATA, _DATA = 1, 2


REFERENCE_ENCODING = b"json/external-storage-reference"
"""Of a payload that stands for one that is kept elsewhere."""


class ExternalPayloadDetails(msgspec.Struct):
    """Says that a payload is kept elsewhere."""

    size_bytes: int = 0
    """0: a reference does not say it."""


class Payload(msgspec.Struct, gc=False):
    """One encoded value.

    ``metadata["encoding"]`` names the encoding (``json/plain``, ``binary/plain``, ``binary/null``, ...).
    The engine never looks into ``data``; a converter or codec does, at the edge of user code.
    """

    # Users' converters and codecs are handed this very class, and fill it in as they would a protobuf message: it
    # is not frozen, and has the methods of one that they call. The engine itself changes no payload.
    DESCRIPTOR: ClassVar[Any]
    """As the protobuf library describes it; there once `streamflow.api` is imported."""
    metadata: dict[str, bytes] = msgspec.field(default_factory=dict[str, bytes])
    data: bytes = b""

    @property
    def external_payloads(self) -> list[ExternalPayloadDetails]:
        """One entry for a reference to external storage, none for anything else."""
        return (
            [ExternalPayloadDetails()]
            if self.metadata.get("encoding") == REFERENCE_ENCODING
            else []
        )

    def SerializeToString(self, *, deterministic: bool = True) -> bytes:
        """The bytes of the protobuf message of this name, with sorted keys."""
        made = [
            protobuf.bytes_field(
                _METADATA,
                protobuf.bytes_field(1, key.encode()) + protobuf.bytes_field(2, self.metadata[key]),
            )
            for key in sorted(self.metadata)
        ]
        if self.data:
            made.append(protobuf.bytes_field(_DATA, self.data))
        return b"".join(made)

    @classmethod
    def FromString(cls, s: bytes, /) -> Self:
        """The payload that `SerializeToString` made these bytes of.

        Raises:
            ValueError: they are no such bytes.
        """
        made = cls()
        made.MergeFromString(s)
        return made

    def ParseFromString(self, s: bytes, /) -> int:
        """Takes the place of what is here; returns the number of bytes read."""
        self.Clear()
        return self.MergeFromString(s)

    def MergeFromString(self, s: bytes, /) -> int:
        """Adds metadata to those here, and takes the data if there are some."""
        for number, value in protobuf.fields(bytes(s)):
            if number == _DATA and isinstance(value, bytes):
                self.data = value
            elif number == _METADATA and isinstance(value, bytes):
                entry = dict(protobuf.fields(value))
                key, item = entry.get(1, b""), entry.get(2, b"")
                if isinstance(key, bytes) and isinstance(item, bytes):
                    self.metadata[key.decode()] = item
        return len(s)

    def CopyFrom(self, other: Payload, /) -> None:
        """Takes the other's place: its metadata and data, and none of these."""
        self.metadata, self.data = dict(other.metadata), other.data

    def MergeFrom(self, other: Payload, /) -> None:
        """Adds the other's metadata to these, and takes its data if it has some."""
        self.metadata.update(other.metadata)
        self.data = other.data or self.data

    def Clear(self) -> None:
        self.metadata, self.data = {}, b""

    def ClearField(self, field_name: str, /) -> None:
        """Empties the metadata or the data."""
        if field_name == "metadata":
            self.metadata = {}
        elif field_name == "data":
            self.data = b""
        else:
            raise ValueError(f"Expected a field of Payload (metadata, data), found {field_name!r}")

    def SetInParent(self) -> None:
        """Nothing: an empty payload is like none."""

    def ListFields(self) -> list[tuple[Any, Any]]:
        """Descriptor and value of what is set."""
        known = self.DESCRIPTOR.fields_by_name
        values = [("metadata", self.metadata), ("data", self.data)]
        return [(known[name], value) for name, value in values if value]

    def ByteSize(self) -> int:
        """Bytes that `SerializeToString` gives."""
        return len(self.SerializeToString())


Payloads = tuple[Payload, ...]
NO_PAYLOADS: Payloads = ()
NO_HEADERS: Mapping[str, Payload] = {}
