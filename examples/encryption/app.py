"""What runs together: `streamflow dev examples.encryption.app:app`."""

from __future__ import annotations

import base64
import json
import os

from examples.encryption.codec import EncryptionCodec
from examples.encryption.workflows import Diagnose, ask_a_doctor
from streamflow.app import App
from streamflow.converter import DataConverter, DefaultFailureConverterWithEncodedAttributes


def codec_from_environment() -> EncryptionCodec:
    """Keys from EXAMPLE_KEYS, a JSON object of base64 by name; the one named by EXAMPLE_KEY encrypts."""
    keys: dict[str, str] = json.loads(os.environ.get("EXAMPLE_KEYS", "{}"))
    if not keys:
        raise SystemExit(
            "Expected EXAMPLE_KEYS and EXAMPLE_KEY to be set, found no keys; see the example's README"
        )
    decoded = {name: base64.b64decode(key) for name, key in keys.items()}
    return EncryptionCodec(decoded, os.environ.get("EXAMPLE_KEY", ""))


def converter_of(codec: EncryptionCodec) -> DataConverter:
    """Failures' messages and stack traces are secrets too."""
    return DataConverter(
        payload_codec=codec,
        failure_converter_class=DefaultFailureConverterWithEncodedAttributes,
    )


def __getattr__(name: str) -> App:
    """``app``, made when it is asked for: without keys this module can still be imported."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return App(
        "encryption",
        workflows=[Diagnose],
        activities=[ask_a_doctor],
        data_converter=converter_of(codec_from_environment()),
    )
