"""Where a message has its descriptor: of the protobuf library's, made when first asked for."""

from __future__ import annotations

from typing import Any


class Described:
    """The ``DESCRIPTOR`` of a class."""

    def __get__(self, message: object, owner: type[Any]) -> Any:
        from streamflow.api.descriptors import descriptor_of  # which knows every kind of field

        return descriptor_of(owner)
