"""Protocol Buffers messages as JSON or as bytes; without that library installed these converters take nothing.

The library is never imported from here unless a program has it loaded: a value can only be a message then.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from streamflow.converter.encoding import EncodingPayloadConverter
from streamflow.model.payload import Payload

_MESSAGE_MODULE = "google.protobuf.message"


class _ProtoPayloadConverter(EncodingPayloadConverter):
    def _payload(self, value: Any, data: bytes) -> Payload:
        name = value.DESCRIPTOR.full_name
        return Payload({"encoding": self.encoding.encode(), "messageType": name.encode()}, data)

    def _empty_message(self, payload: Payload, type_hint: Any) -> Any:
        if _is_message_type(type_hint):
            return type_hint()
        wanted = payload.metadata.get("messageType", b"").decode()
        try:
            pool: Any = importlib.import_module("google.protobuf.symbol_database")
            return pool.Default().GetSymbol(wanted)()
        except (ImportError, KeyError) as error:
            raise RuntimeError(
                f"Unknown Protobuf type {wanted}: expected a type hint or a loaded message type to decode "
                f"{self.encoding}; annotate the parameter with the message's class"
            ) from error


class JSONProtoPayloadConverter(_ProtoPayloadConverter):
    """Messages, as their JSON form."""

    def __init__(self, ignore_unknown_fields: bool = False) -> None:
        """With ``ignore_unknown_fields`` JSON may have fields that the message's class here does not know."""
        self._ignore_unknown_fields = ignore_unknown_fields

    @property
    def encoding(self) -> str:
        return "json/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        if not _is_message(value):
            return None
        json_format: Any = importlib.import_module("google.protobuf.json_format")
        # By way of a dict: the converter to JSON text has no form without spaces.
        text = json.dumps(json_format.MessageToDict(value), separators=(",", ":"), sort_keys=True)
        return self._payload(value, text.encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        message = self._empty_message(payload, type_hint)
        json_format: Any = importlib.import_module("google.protobuf.json_format")
        try:
            return json_format.Parse(
                payload.data, message, ignore_unknown_fields=self._ignore_unknown_fields
            )
        except json_format.ParseError as error:
            raise RuntimeError(f"Failed parsing {self.encoding}: {error}") from error


class BinaryProtoPayloadConverter(_ProtoPayloadConverter):
    """Messages, as their bytes. Encodes only where `JSONProtoPayloadConverter` does not stand before it."""

    @property
    def encoding(self) -> str:
        return "binary/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        return self._payload(value, value.SerializeToString()) if _is_message(value) else None

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        message = self._empty_message(payload, type_hint)
        errors: Any = importlib.import_module(_MESSAGE_MODULE)
        try:
            message.ParseFromString(payload.data)
        except errors.DecodeError as error:
            raise RuntimeError(f"Failed parsing {self.encoding}: {error}") from error
        return message


def _is_message(value: Any) -> bool:
    module: Any = sys.modules.get(_MESSAGE_MODULE)
    return module is not None and isinstance(value, module.Message)


def _is_message_type(hint: Any) -> bool:
    module: Any = sys.modules.get(_MESSAGE_MODULE)
    return module is not None and isinstance(hint, type) and issubclass(hint, module.Message)
