"""Values that are Pydantic models, or anything else that Pydantic knows to write as JSON and to validate.

    client = await Client.connect(target, data_converter=pydantic_data_converter)

Needs the extra ``streamflow[pydantic]``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

try:
    import pydantic_core
    from pydantic import TypeAdapter
except ImportError as error:
    raise ImportError(
        "Expected Pydantic 2 to be installed, found none; install streamflow[pydantic]"
    ) from error

from streamflow.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    JSONPlainPayloadConverter,
)
from streamflow.model.payload import Payload

TYPE_ADAPTERS_MAX = 1_024
"""Type hints whose validators are kept, those used last; more are built again at each use."""


@dataclass
class ToJsonOptions:
    """How values become JSON.

    Args:
        exclude_unset: leave out fields of models that nobody set; default: write them with their defaults.
    """

    exclude_unset: bool = False


class PydanticJSONPlainPayloadConverter(EncodingPayloadConverter):
    """JSON by Pydantic: models, dataclasses, and the standard library's types that it knows."""

    def __init__(
        self,
        to_json_options: ToJsonOptions | None = None,
        *,
        max_cached_type_adapters: int | None = TYPE_ADAPTERS_MAX,
    ) -> None:
        """``max_cached_type_adapters``: ``None`` keeps all of them, 0 none.

        Raises:
            ValueError: it is negative.
        """
        if max_cached_type_adapters is not None and max_cached_type_adapters < 0:
            raise ValueError(
                f"max_cached_type_adapters cannot be negative, found {max_cached_type_adapters}"
            )
        self._options = to_json_options
        self._serializer = pydantic_core.SchemaSerializer(pydantic_core.core_schema.any_schema())
        self._adapter_of: Callable[[Any], TypeAdapter[Any]] = functools.lru_cache(
            max_cached_type_adapters
        )(TypeAdapter)

    @property
    def encoding(self) -> str:
        return "json/plain"

    def to_payload(self, value: Any) -> Payload | None:
        if self._options is None:
            data = pydantic_core.to_json(value)
        else:
            data = self._serializer.to_json(value, exclude_unset=self._options.exclude_unset)
        return Payload({"encoding": b"json/plain"}, data)

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Raises: pydantic.ValidationError, a ValueError, if the JSON is not what the hint asks for."""
        return self._adapter(Any if type_hint is None else type_hint).validate_json(payload.data)

    def _adapter(self, hint: Any) -> TypeAdapter[Any]:
        try:
            hash(hint)
        except TypeError:  # such as Annotated with a list: it cannot be remembered
            return TypeAdapter(hint)
        return self._adapter_of(hint)


class PydanticPayloadConverter(CompositePayloadConverter):
    """The default converters with JSON by Pydantic. A subclass without arguments can choose the options."""

    def __init__(
        self,
        to_json_options: ToJsonOptions | None = None,
        *,
        max_cached_type_adapters: int | None = TYPE_ADAPTERS_MAX,
    ) -> None:
        json = PydanticJSONPlainPayloadConverter(
            to_json_options, max_cached_type_adapters=max_cached_type_adapters
        )
        super().__init__(
            *(
                json if isinstance(converter, JSONPlainPayloadConverter) else converter
                for converter in DefaultPayloadConverter.default_encoding_payload_converters
            )
        )


pydantic_data_converter = DataConverter(payload_converter_class=PydanticPayloadConverter)
"""The default data converter with JSON by Pydantic."""
