"""A broker with TLS, SASL and an authorizer; every role has its grants, as long as none is taken away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from confluent_kafka import admin

from streamflow import topology, wiring
from streamflow.model.settings import SearchAttributeEntry
from streamflow.ports import Log
from streamflow.testing.kafka import KafkaBroker
from streamflow.testing.kafka_security import ADMIN, BrokerSecurity, Mechanism
from streamflow.topology.grants import ROLES, Grant, Role, grants

NAMESPACE: Final = "secured"
QUEUE: Final = "orders_of_today"
"""A name that is written otherwise in Kafka's names."""
_ADMIN: Final[Any] = admin


class Without(NamedTuple):
    """One operation that a role may not do."""

    role: Role
    grant: Grant
    operation: str

    def __str__(self) -> str:
        return f"{self.role} without {self.operation} on {self.grant.resource} {self.grant.name}"


class Secured:
    """What an administrator of the broker does to it."""

    def __init__(self, broker: KafkaBroker, security: BrokerSecurity) -> None:
        self._broker = broker
        self._security = security
        self._admin = _ADMIN.AdminClient(
            {**security.client(ADMIN), "bootstrap.servers": broker.bootstrap}
        )
        for role in ROLES:
            self._give(
                role, [(g, o) for g in grants(NAMESPACE, [QUEUE], role) for o in g.operations]
            )

    @property
    def bootstrap(self) -> str:
        return self._broker.bootstrap

    def config(self, user: str) -> dict[str, str]:
        return self._security.client(user)

    @contextmanager
    def log(self, user: str) -> Iterator[Log]:
        log = wiring.open_log(self._broker.bootstrap, config=self.config(user))
        try:
            yield log
        finally:
            log.close()

    def make_topics(self) -> None:
        """As the role's admin, by `topology apply`'s own code."""
        with self.log("admin") as log:
            topology.ensure_queue(log, NAMESPACE, QUEUE, kind="workflow", partitions=1, create=True)
            entry = SearchAttributeEntry(name="Who", kind="Keyword", declared_ms=1)
            topology.write_search_attributes(log, NAMESPACE, [entry])

    @contextmanager
    def without(self, missing: Without) -> Iterator[None]:
        binding = _binding(missing.role, missing.grant, missing.operation)
        for answer in self._admin.delete_acls([_as_filter(binding)]).values():
            answer.result()
        try:
            yield
        finally:
            self._give(missing.role, [(missing.grant, missing.operation)])

    def _give(self, role: Role, wanted: Sequence[tuple[Grant, str]]) -> None:
        bindings = [_binding(role, grant, operation) for grant, operation in wanted]
        for answer in self._admin.create_acls(bindings).values():
            answer.result()


@contextmanager
def secured_broker(folder: Path, *, mechanism: Mechanism = "PLAIN") -> Iterator[Secured]:
    security = BrokerSecurity.make(folder / "security", users=ROLES, mechanism=mechanism)
    with KafkaBroker(
        directory=folder / "kafka",
        settings=security.broker_settings(),
        client_settings=security.client(ADMIN),
    ) as broker:
        security.make_users(broker.bootstrap)
        yield Secured(broker, security)


# -- Kafka's words ------------------------------------------------------------------------------------------------------

_RESOURCES: Final = {
    "topic": _ADMIN.ResourceType.TOPIC,
    "group": _ADMIN.ResourceType.GROUP,
    "transactional-id": _ADMIN.ResourceType.TRANSACTIONAL_ID,
    "cluster": _ADMIN.ResourceType.BROKER,
}


def _binding(role: str, grant: Grant, operation: str) -> Any:
    pattern = _ADMIN.ResourcePatternType
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in operation)
    return _ADMIN.AclBinding(
        _RESOURCES[grant.resource],
        grant.name,
        pattern.PREFIXED if grant.prefixed else pattern.LITERAL,
        f"User:{role}",
        "*",
        _ADMIN.AclOperation[words.strip("_").upper()],
        _ADMIN.AclPermissionType.ALLOW,
    )


def _as_filter(binding: Any) -> Any:
    return _ADMIN.AclBindingFilter(
        binding.restype,
        binding.name,
        binding.resource_pattern_type,
        binding.principal,
        binding.host,
        binding.operation,
        binding.permission_type,
    )
