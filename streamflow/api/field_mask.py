"""Which fields of a message are meant. Programs that have the protobuf library may give its own class instead."""

from __future__ import annotations

import re

from streamflow.api.message import Message
from streamflow.api.message_fields import texts


class FieldMask(Message):
    """Paths of fields, such as ``retry_policy.maximum_attempts``."""

    paths = texts(1)

    def FromJsonString(self, value: str) -> None:
        """From the paths in camel case, with commas between them."""
        found = [path for path in value.split(",") if path]
        self.ClearField("paths")
        self.paths.extend(
            re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", path) for path in found
        )

    def ToJsonString(self) -> str:
        return ",".join(
            re.sub("_([a-z0-9])", lambda found: found[1].upper(), path) for path in self.paths
        )
