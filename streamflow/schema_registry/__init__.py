"""Our Avro schemas in a schema registry, for tools that look there; streamflow itself needs none.

subjects     which schema stands under which name
connection   the registry's HTTP API, which Confluent's, Apicurio's and Karapace's share
publishing   what is there, what fits, and what is registered
"""

from streamflow.schema_registry.connection import Registry, RegistryError
from streamflow.schema_registry.publishing import Found, Incompatible, State, check, register
from streamflow.schema_registry.subjects import Subject, subjects

__all__ = [
    "Found",
    "Incompatible",
    "Registry",
    "RegistryError",
    "State",
    "Subject",
    "check",
    "register",
    "subjects",
]
