"""Single-object encoding: ``C3 01``, the schema's fingerprint, the body. Codecs are compiled at first use and kept.

A fact is written with the committed schema of its class and read with the schema it was written with, which may be older:
fields added since get their defaults. Everything bad about bytes is `Undecodable`.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from typing import Any, Final, cast

import msgspec

from streamflow.wire import bounds, catalog, decoder, encoder
from streamflow.wire.errors import VALUE, Damaged, SchemaOutdated, Undecodable
from streamflow.wire.files import read_data
from streamflow.wire.schema import RecordOf, parse
from streamflow.wire.upcast import UPCASTS

MARK: Final = b"\xc3\x01"
_BODY: Final = len(MARK) + 8
_encoders: dict[type, encoder.Encode] = {}
_decoders: dict[bytes, decoder.Decode] = {}


def encode(fact: msgspec.Struct, *envelope: Any) -> bytes:
    """The fact's bytes; an event needs its envelope (workflow ID, run ID, seq, step, time in ms)."""
    encode_fact = _encoders.get(fact.__class__) or _encoder_of(fact.__class__)
    try:
        return encode_fact(fact, *envelope)
    except UnicodeEncodeError:
        # Text that came from the operating system may hold lone surrogates. It is still recorded, escaped.
        return _escaping_encoder_of(fact.__class__)(fact, *envelope)


def decode(value: bytes) -> Any:
    """The fact that these bytes say, a `Recorded` for an event. Callers check its class.

    Raises:
        Undecodable: unknown schema, bytes that do not follow it, or too many of them.
    """
    decode_body = _decoders.get(value[:_BODY]) or _decoder_of(value[:_BODY])
    if len(value) > bounds.VALUE_BYTES_MAX:
        raise Undecodable(
            VALUE, f"Expected at most {bounds.VALUE_BYTES_MAX} bytes, found {len(value)}"
        )
    try:
        return decode_body(value, _BODY)
    except decoder.BAD_BYTES as wrong:
        raise Undecodable(
            VALUE, f"Damaged value of schema {path_of(value)}: {reason(wrong)}"
        ) from None


def path_of(value: bytes) -> str | None:
    """Path of the schema that a value names, or ``None`` if it is not ours."""
    return _index().get(value[2:_BODY].hex()) if value[:2] == MARK else None


@cache
def schemas_digest() -> str:
    """Of the schemas that this release reads: another one's may read more, or less."""
    return hashlib.sha256(read_data("schemas", "index.json")).hexdigest()


@cache
def _index() -> dict[str, str]:
    return cast(dict[str, str], json.loads(read_data("schemas", "index.json")))


@cache
def _fingerprints() -> dict[str, bytes]:
    return {path: bytes.fromhex(mark) for mark, path in _index().items()}


def schema_at(path: str) -> RecordOf:
    """A committed schema, by its path in ``schemas/``."""
    return parse(json.loads(read_data("schemas", path)))


def _encoder_of(cls: type[Any]) -> encoder.Encode:
    _encoders[cls] = made = _compiled(cls, "strict")
    return made


@cache
def _escaping_encoder_of(cls: type[Any]) -> encoder.Encode:
    return _compiled(cls, "backslashreplace")


def _compiled(cls: type[Any], errors: str) -> encoder.Encode:
    if cls not in catalog.AREA_OF:
        raise TypeError(
            f"Expected a fact that has a schema (streamflow.wire.catalog), found {cls.__name__}"
        )
    path = f"{catalog.AREA_OF[cls]}/{cls.__name__}.avsc"
    envelope = cls in catalog.EVENT_CODES
    try:
        schema = schema_at(path)
        _check_current(cls, schema, catalog.ENVELOPE_FIELDS if envelope else ())
    except FileNotFoundError:
        raise SchemaOutdated(f"Expected schemas/{path}, found none; run `make schemas`") from None
    prefix = MARK + _fingerprints()[path]
    return encoder.compile_encoder(schema, prefix, envelope=envelope, errors=errors)


def _check_current(cls: type[Any], schema: RecordOf, before: tuple[str, ...]) -> None:
    """A field that the schema does not know would be lost without a word."""
    written = [field.name for field in schema.fields]
    expected = [*before, *(field.name for field in msgspec.structs.fields(cls))]
    if written != expected:
        raise SchemaOutdated(
            f"Expected the schema of {cls.__name__} to have the fields {expected}, found {written}; run `make schemas`"
        )


def _decoder_of(head: bytes) -> decoder.Decode:
    path = path_of(head)
    if path is None or path.startswith("public/"):
        raise Undecodable(
            VALUE,
            f"Expected a value that begins with C3 01 and the fingerprint of a schema in schemas/index.json, "
            f"found {head.hex(' ') or 'nothing'}; a newer writer's schemas need a newer reader",
        )
    schema = schema_at(path)
    upcast = UPCASTS.get(head[2:].hex())
    cls = catalog.STRUCTS.get(schema.name)
    if upcast is not None:
        plain = decoder.compile_decoder(schema, None)
        made: decoder.Decode = lambda value, at: upcast(plain(value, at))  # noqa: E731
    else:
        recorded = cls in catalog.EVENT_CODES
        made = decoder.compile_decoder(schema, catalog.STRUCTS, recorded=recorded)
    _decoders[head] = made
    return made


def reason(wrong: Exception) -> str:
    match wrong:
        case Damaged():
            return str(wrong)
        case UnicodeDecodeError():
            return "Expected UTF-8 text, found other bytes"
        case KeyError():
            return f"Expected a known enum symbol, found number {wrong}"
        case _:
            return "Expected more bytes, found the value's end"
