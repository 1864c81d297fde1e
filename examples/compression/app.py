"""What runs together: `streamflow dev examples.compression.app:app`."""

from __future__ import annotations

from examples.compression.codec import CompressionCodec
from examples.compression.workflows import Summarize, shorten
from streamflow.app import App
from streamflow.converter import DataConverter

app = App(
    "compression",
    workflows=[Summarize],
    activities=[shorten],
    data_converter=DataConverter(payload_codec=CompressionCodec()),
)
