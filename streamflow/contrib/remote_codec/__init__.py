"""A payload codec in a process of its own, so that keys are there and nowhere else.

    # where the keys are: any ASGI server runs it
    app = codec_app({"shop": EncryptionCodec()}, allow=...)

    # where payloads are shown: streamflow gateway --codec-endpoint https://codec.example/{namespace}, or
    converter = replace(DataConverter.default, payload_codec=RemoteCodec("https://codec.example", namespace="shop"))

They speak as the codec servers do that users of the model know: ``POST .../encode`` and ``.../decode`` with
``{"payloads": [{"metadata": {name: base64}, "data": base64}]}`` and the header ``X-Namespace``.
"""

from __future__ import annotations

from streamflow.contrib.remote_codec.client import RemoteCodec, RemoteCodecError
from streamflow.contrib.remote_codec.server import Caller, codec_app

__all__ = ["Caller", "RemoteCodec", "RemoteCodecError", "codec_app"]
