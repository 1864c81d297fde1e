"""What is wrong with bytes."""

from __future__ import annotations

from typing import Final

KEY: Final = "KEY_CONVERTER"
HEADER: Final = "HEADER_CONVERTER"
VALUE: Final = "VALUE_CONVERTER"


class Undecodable(Exception):
    """These bytes cannot be read, and never will be: dead-letter the record, do not retry.

    ``stage`` is the name that Kafka Connect gives the failing part, so that tools for its dead letters work.
    """

    def __init__(self, stage: str, message: str) -> None:
        super().__init__(message)
        self.stage = stage
        self.message = message


class Damaged(Exception):
    """Bytes do not follow their schema, or a schema cannot be read safely. Becomes `Undecodable` at the edge."""


class SchemaOutdated(AssertionError):
    """A Struct and its committed schema differ: our own fault, to be mended by ``make schemas``."""
