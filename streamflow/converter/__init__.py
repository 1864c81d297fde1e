"""Between the values of user code and the payloads of the log.

    value --PayloadConverter--> Payload --PayloadCodec--> Payload (as stored)

A payload converter is plain and synchronous, so that it can run inside a workflow's step; a codec (encryption,
compression) is asynchronous and runs outside of it, in the client, the worker and the processor. A failure converter
does the same for errors. `DataConverter` holds one of each.

`payload` has the converters, `json_plain` the one for JSON, `typed` the way from JSON to a type hint, `failure` errors,
`codec` the codec, `storage` what keeps large payloads elsewhere, `data` all of them together, `serialization_context` whose
a value is, `transfer` classes stored as something else, `search_attributes` those values that the engine itself reads.
"""

from __future__ import annotations

from streamflow.converter.codec import PayloadCodec
from streamflow.converter.data import DataConverter, default
from streamflow.converter.failure import (
    DefaultFailureConverter,
    DefaultFailureConverterWithEncodedAttributes,
    FailureConverter,
)
from streamflow.converter.json_plain import (
    AdvancedJSONEncoder,
    JSONPlainPayloadConverter,
    JSONTypeConverter,
    JSONTypeConverterUnhandled,
)
from streamflow.converter.payload import (
    BinaryNullPayloadConverter,
    BinaryPlainPayloadConverter,
    CompositePayloadConverter,
    DefaultPayloadConverter,
    EncodingPayloadConverter,
    PayloadConverter,
)
from streamflow.converter.protobuf import BinaryProtoPayloadConverter, JSONProtoPayloadConverter
from streamflow.converter.search_attributes import (
    decode_search_attributes,
    decode_typed_search_attributes,
    encode_search_attribute_value,
    encode_search_attribute_values,
    encode_search_attributes,
    encode_typed_search_attribute_value,
)
from streamflow.converter.serialization_context import (
    ActivitySerializationContext,
    NexusSerializationContext,
    SerializationContext,
    WithSerializationContext,
    WorkflowSerializationContext,
)
from streamflow.converter.storage import (
    ExternalStorage,
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
    StorageWarning,
)
from streamflow.converter.transfer import TransferTypeConverter, transfer_type_convertible
from streamflow.converter.typed import value_to_type
from streamflow.converter.validation import create_payload_validation_error

_JSONTypeConverterUnhandled = JSONTypeConverterUnhandled  # where ported code looks for it

__all__ = [
    "ActivitySerializationContext",
    "AdvancedJSONEncoder",
    "BinaryNullPayloadConverter",
    "BinaryPlainPayloadConverter",
    "BinaryProtoPayloadConverter",
    "CompositePayloadConverter",
    "DataConverter",
    "DefaultFailureConverter",
    "DefaultFailureConverterWithEncodedAttributes",
    "DefaultPayloadConverter",
    "EncodingPayloadConverter",
    "ExternalStorage",
    "FailureConverter",
    "JSONPlainPayloadConverter",
    "JSONProtoPayloadConverter",
    "JSONTypeConverter",
    "JSONTypeConverterUnhandled",
    "NexusSerializationContext",
    "PayloadCodec",
    "PayloadConverter",
    "SerializationContext",
    "StorageDriver",
    "StorageDriverActivityInfo",
    "StorageDriverClaim",
    "StorageDriverRetrieveContext",
    "StorageDriverSelectContext",
    "StorageDriverStoreContext",
    "StorageDriverWorkflowInfo",
    "StorageWarning",
    "TransferTypeConverter",
    "WithSerializationContext",
    "WorkflowSerializationContext",
    "create_payload_validation_error",
    "decode_search_attributes",
    "decode_typed_search_attributes",
    "default",
    "encode_search_attribute_value",
    "encode_search_attribute_values",
    "encode_search_attributes",
    "encode_typed_search_attribute_value",
    "transfer_type_convertible",
    "value_to_type",
]
