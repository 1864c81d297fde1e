"""Search attributes: those that were declared, and the engine's own."""

from __future__ import annotations

from streamflow.api.enums.v1 import IndexedValueType
from streamflow.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    AddSearchAttributesResponse,
    ListSearchAttributesRequest,
    ListSearchAttributesResponse,
    RemoveSearchAttributesRequest,
    RemoveSearchAttributesResponse,
)
from streamflow.api.workflowservice.v1 import (
    GetSearchAttributesRequest,
    GetSearchAttributesResponse,
)
from streamflow.client.raw.asked import Asked
from streamflow.common import SearchAttributeIndexedValueType
from streamflow.service import RPCError, RPCStatusCode


async def add_search_attributes(
    asked: Asked, request: AddSearchAttributesRequest
) -> AddSearchAttributesResponse:
    """Those that are there with the same type are left alone; with another one they are ALREADY_EXISTS."""
    await asked.client.transport.declare_search_attributes(
        {name: _type_name(name, number) for name, number in request.search_attributes.items()}
    )
    return AddSearchAttributesResponse()


async def remove_search_attributes(
    asked: Asked, request: RemoveSearchAttributesRequest
) -> RemoveSearchAttributesResponse:
    await asked.client.transport.forget_search_attributes(request.search_attributes)
    return RemoveSearchAttributesResponse()


async def list_search_attributes(
    asked: Asked, request: ListSearchAttributesRequest
) -> ListSearchAttributesResponse:
    return ListSearchAttributesResponse(
        custom_attributes=await _declared(asked), system_attributes=_own()
    )


async def get_search_attributes(
    asked: Asked, request: GetSearchAttributesRequest
) -> GetSearchAttributesResponse:
    return GetSearchAttributesResponse(keys=_own() | await _declared(asked))


async def _declared(asked: Asked) -> dict[str, IndexedValueType]:
    found = await asked.client.transport.search_attributes()
    return {
        name: IndexedValueType(int(SearchAttributeIndexedValueType.named(kind)))
        for name, kind in found.items()
    }


def _own() -> dict[str, IndexedValueType]:
    from streamflow.visibility.catalog import BUILT_IN, Kind

    made: dict[str, IndexedValueType] = {}
    for attribute in BUILT_IN.values():
        match attribute.kind:
            case Kind.STATUS:
                made[attribute.name] = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
            case Kind.DURATION:
                made[attribute.name] = IndexedValueType.INDEXED_VALUE_TYPE_INT
            case kind:
                known = SearchAttributeIndexedValueType.named(kind.value)
                made[attribute.name] = IndexedValueType(int(known))
    return made


def _type_name(name: str, number: int) -> str:
    try:
        return SearchAttributeIndexedValueType(number).type_name
    except ValueError:
        raise RPCError(
            f"Expected a type of search attributes for {name!r}, found {number}",
            RPCStatusCode.INVALID_ARGUMENT,
        ) from None


ANSWERS = (
    add_search_attributes,
    get_search_attributes,
    list_search_attributes,
    remove_search_attributes,
)
