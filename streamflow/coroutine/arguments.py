"""Payloads of a message as the arguments of its handler."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from streamflow.common import RawValue
from streamflow.coroutine.handlers import Handler
from streamflow.coroutine.values import Values
from streamflow.exceptions import FailureError
from streamflow.model.payload import Payloads

DECODING_FAILED = "Failed decoding arguments"
"""What programs look for when arguments do not fit."""


@contextmanager
def decoding_arguments() -> Generator[None]:
    """Says of a converter's fault what it was about. A failure that a converter raises on purpose stays as it is."""
    try:
        yield
    except FailureError:
        raise
    except Exception as error:
        raise RuntimeError(f"{DECODING_FAILED}: {error}") from error


def handler_arguments(values: Values, handler: Handler, name: str, args: Payloads) -> list[Any]:
    """Decoded by the handler's type hints; a dynamic handler gets the name and the values as they came.

    Raises:
        Exception: what the converter raises for a value that does not fit.
    """
    if not handler.dynamic:
        hints = handler.signature.arguments
        # Too many are no matter of types: they are decoded as they come, and the call says what is wrong.
        return values.decode(args, hints if len(args) <= len(hints) else ())
    if handler.signature.variadic:
        return [name, *values.decode(args)]
    return [name, [RawValue(payload) for payload in args]]
