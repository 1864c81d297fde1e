"""Bounds on what is decoded. Each is checked before memory is spent on what it bounds."""

from __future__ import annotations

from typing import Final

RECORD_BYTES_MAX: Final = 1_048_576
"""Of an inbox record's value. Larger payloads go by claim check."""

KEPT_KEY_BYTES_MAX: Final = 4_096
KEPT_HEADERS_BYTES_MAX: Final = 16_384
KEPT_VALUE_BYTES_MAX: Final = 1_000_000
"""Of a record that is passed on with headers of our own: together with those it still fits into a record of ours."""

VALUE_BYTES_MAX: Final = 16 * RECORD_BYTES_MAX
"""Of a value from our own topics: generous, because what was once committed must stay readable."""

ITEMS_MAX: Final = 100_000
"""Of one array or map."""

NESTING_MAX: Final = 64
"""Of a JSON document from outside."""

WORKFLOW_ID_BYTES_MAX: Final = 1_000
MESSAGE_ID_CHARS_MAX: Final = 512
"""A longer message ID is shortened by a hash, so that it still names one message."""

REQUEST_ID_CHARS_MAX: Final = 256
TOPIC_CHARS_MAX: Final = 249
