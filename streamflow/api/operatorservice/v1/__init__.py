"""Requests about search attributes, and their answers. Other names are as in `streamflow.api.absent`."""

from __future__ import annotations

from streamflow.api.absent import absent_messages
from streamflow.api.enums.v1 import IndexedValueType
from streamflow.api.files import also_in
from streamflow.api.message import Message, field
from streamflow.api.message_fields import texts
from streamflow.api.message_tables import choices_by_name, texts_by_name

__all__ = [
    "AddSearchAttributesRequest",
    "AddSearchAttributesResponse",
    "ListSearchAttributesRequest",
    "ListSearchAttributesResponse",
    "RemoveSearchAttributesRequest",
    "RemoveSearchAttributesResponse",
]

__getattr__ = absent_messages(__name__)


class AddSearchAttributesRequest(Message):
    search_attributes = choices_by_name(1, IndexedValueType)
    namespace = field(2, "")


class AddSearchAttributesResponse(Message):
    """Nothing."""


class RemoveSearchAttributesRequest(Message):
    search_attributes = texts(1)
    namespace = field(2, "")


class RemoveSearchAttributesResponse(Message):
    """Nothing."""


class ListSearchAttributesRequest(Message):
    namespace = field(1, "")


class ListSearchAttributesResponse(Message):
    """Those that were declared, and the engine's own."""

    custom_attributes = choices_by_name(1, IndexedValueType)
    system_attributes = choices_by_name(2, IndexedValueType)
    storage_schema = texts_by_name(3)


also_in(__name__, "request_response_pb2")
