"""Protocol Buffers messages as JSON or as bytes: those of `streamflow.api`, and those of that library.

The library is never imported from here unless a program has it loaded: a value can only be one of its messages then.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from streamflow.api.message import Message
from streamflow.api.message_json import merge_json, to_json
from streamflow.converter.encoding import EncodingPayloadConverter
from streamflow.model.payload import Payload

_MESSAGE_MODULE = "google.protobuf.message"


class _ProtoPayloadConverter(EncodingPayloadConverter):
    def _payload(self, value: Any, data: bytes) -> Payload:
        name = value.full_name() if isinstance(value, Message) else value.DESCRIPTOR.full_name
        return Payload({"encoding": self.encoding.encode(), "messageType": name.encode()}, data)

    def _empty_message(self, payload: Payload, type_hint: Any) -> Any:
        if _is_message_type(type_hint):
            return type_hint()
        wanted = payload.metadata.get("messageType", b"").decode()
        ours = Message.named(wanted)
        if ours is not None:
            return ours()
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
        if isinstance(value, Message):
            found = to_json(value)
        elif _is_message(value):
            json_format: Any = importlib.import_module("google.protobuf.json_format")
            # By way of a dict: the converter to JSON text has no form without spaces.
            found = json_format.MessageToDict(value)
        else:
            return None
        text = json.dumps(found, separators=(",", ":"), sort_keys=True)
        return self._payload(value, text.encode())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        message = self._empty_message(payload, type_hint)
        if isinstance(message, Message):
            return self._merged(message, payload)
        json_format: Any = importlib.import_module("google.protobuf.json_format")
        try:
            return json_format.Parse(
                payload.data, message, ignore_unknown_fields=self._ignore_unknown_fields
            )
        except json_format.ParseError as error:
            raise RuntimeError(f"Failed parsing {self.encoding}: {error}") from error

    def _merged(self, message: Message, payload: Payload) -> Message:
        try:
            value = json.loads(payload.data)
            merge_json(value, message, ignore_unknown_fields=self._ignore_unknown_fields)
        except ValueError as error:
            raise RuntimeError(f"Failed parsing {self.encoding}: {error}") from error
        return message


class BinaryProtoPayloadConverter(_ProtoPayloadConverter):
    """Messages, as their bytes. Encodes only where `JSONProtoPayloadConverter` does not stand before it."""

    @property
    def encoding(self) -> str:
        return "binary/protobuf"

    def to_payload(self, value: Any) -> Payload | None:
        if not isinstance(value, Message) and not _is_message(value):
            return None
        return self._payload(value, value.SerializeToString())

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        message = self._empty_message(payload, type_hint)
        unreadable: Any = ValueError
        if not isinstance(message, Message):
            unreadable = importlib.import_module(_MESSAGE_MODULE).DecodeError
        try:
            message.ParseFromString(payload.data)
        except unreadable as error:
            raise RuntimeError(f"Failed parsing {self.encoding}: {error}") from error
        return message


def _is_message(value: Any) -> bool:
    module: Any = sys.modules.get(_MESSAGE_MODULE)
    return module is not None and isinstance(value, module.Message)


def _is_message_type(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, Message):
        return True
    module: Any = sys.modules.get(_MESSAGE_MODULE)
    return module is not None and isinstance(hint, type) and issubclass(hint, module.Message)
