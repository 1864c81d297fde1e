"""Every grant of every role, taken away alone on a broker that allows nothing else: somebody says which one is missing, and nothing is lost.

Processor, worker and client run in this process, each under its own principal, over SASL and TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from confluent_kafka import admin
from structlog.testing import capture_logs

from streamflow import activity, topology, wiring, workflow
from streamflow.client import Client
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.testing.kafka import KafkaBroker
from streamflow.testing.kafka_security import ADMIN, BrokerSecurity
from streamflow.topology.grants import ROLES, Grant, Role, grants
from streamflow.worker import Worker

NAMESPACE: Final = "secured"
QUEUE: Final = "orders"
PARTITIONS: Final = 1
PATIENCE: Final = timedelta(seconds=4)
"""How long it is tried without the grant."""
_ADMIN: Final[Any] = admin


class Without(NamedTuple):
    """One operation that a role may not do."""

    role: Role
    grant: Grant
    operation: str

    def __str__(self) -> str:
        return f"{self.role} without {self.operation} on {self.grant.resource} {self.grant.name}"


def cells(*roles: Role) -> list[Without]:
    """Every one of these roles."""
    return [
        Without(role, grant, operation)
        for role in roles
        for grant in grants(NAMESPACE, [QUEUE], role)
        for operation in grant.operations
    ]


@activity.defn(name="greet")
async def greet(name: str) -> str:
    return f"Hello {name}"


@workflow.defn(name="Echo")
class Echo:
    @workflow.run
    async def run(self, said: str) -> str:
        return said


@workflow.defn(name="Greeting")
class Greeting:
    """An activity, a signal, a query, a child: what each role is there for."""

    def __init__(self) -> None:
        self.may_end = False

    @workflow.run
    async def run(self, name: str) -> str:
        said: str = await workflow.execute_activity(
            greet, name, start_to_close_timeout=timedelta(seconds=20)
        )
        await workflow.wait_condition(lambda: self.may_end)
        return await workflow.execute_child_workflow(Echo.run, said)

    @workflow.signal
    def end(self) -> None:
        self.may_end = True

    @workflow.query
    def is_over(self) -> bool:
        return self.may_end


class Secured:
    """A broker with TLS, SASL and an authorizer; every role has its grants, as long as none is taken away."""

    def __init__(self, broker: KafkaBroker, security: BrokerSecurity, folder: Path) -> None:
        self._broker = broker
        self._security = security
        self._folder = folder
        self._names = itertools.count()
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

    def config(self, role: str) -> dict[str, str]:
        return self._security.client(role)

    def make_topics(self) -> None:
        """As its admin, by `topology apply`'s own code."""
        log = wiring.open_log(self._broker.bootstrap, config=self.config("admin"))
        try:
            topology.ensure_queue(
                log, NAMESPACE, QUEUE, kind="workflow", partitions=PARTITIONS, create=True
            )
        finally:
            log.close()

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

    async def connect(self, role: Role) -> Client:
        return await Client.connect(
            self._broker.bootstrap, namespace=NAMESPACE, config=self.config(role)
        )

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """A processor and a worker, of new names and with empty disks."""
        name = next(self._names)
        async with AsyncExitStack() as stack:
            processor = await stack.enter_async_context(await self.connect("processor"))
            worker = await stack.enter_async_context(await self.connect("worker"))
            for each in (
                Worker(
                    processor,
                    task_queue=QUEUE,
                    name=f"processor-{name}",
                    workflows=[Greeting, Echo],
                    state_dir=self._folder / f"state-{name}",
                ),
                Worker(worker, task_queue=QUEUE, name=f"worker-{name}", activities=[greet]),
            ):
                stack.push_async_callback(_ended, each, asyncio.ensure_future(each.run()))
            yield

    async def serve(self, workflow_id: str) -> str:
        """One workflow from its start, or from wherever it is, to its end, in each role."""
        async with self.serving(), await self.connect("client") as client:
            with contextlib.suppress(WorkflowAlreadyStartedError):
                await client.start_workflow(
                    "Greeting", "you", id=workflow_id, task_queue=QUEUE, rpc_timeout=PATIENCE
                )
            handle = client.get_workflow_handle(workflow_id)
            await handle.query("is_over", rpc_timeout=PATIENCE)
            await handle.signal("end", rpc_timeout=PATIENCE)
            result: str = await handle.result(rpc_timeout=PATIENCE)
        async with await self.connect("gateway") as gateway:
            listed = [each.id async for each in gateway.list_workflows()]
            assert workflow_id in listed, listed
        return result


async def _ended(worker: Worker, running: asyncio.Task[None]) -> None:
    """What it ended by is in the log."""
    with contextlib.suppress(Exception):
        await worker.shutdown()
    with contextlib.suppress(Exception):
        await running


async def tried(secured: Secured, missing: Without, number: int) -> tuple[str, str]:
    """What was said without the grant, and what the workflow came to once it was given again."""
    workflow_id = f"greeting-{number}"
    with capture_logs() as logs, secured.without(missing):
        try:
            async with asyncio.timeout(PATIENCE.total_seconds() * 2):
                raised = await secured.serve(workflow_id)
        except BaseException as error:
            raised = f"{type(error).__name__}: {error}"
    said = [raised, *(str(line) for line in logs)]
    return "\n".join(said), await secured.serve(workflow_id)


OPTIONAL: Final = {
    "processor without DescribeConfigs on cluster kafka-cluster",
    "worker without DescribeConfigs on cluster kafka-cluster",
    f"processor without Write on topic {NAMESPACE}.processes",
    f"gateway without Read on topic {NAMESPACE}.processes",
    f"gateway without Read on topic {NAMESPACE}.audit",
    f"gateway without Write on topic {NAMESPACE}.audit",
}
"""Without these everything works that is done here; what they are there for is said in their grants."""


def named(missing: Without, said: str) -> bool:
    """Whether somebody says which grant is missing, in the words that it is given in."""
    return missing.grant.name in said and any(
        missing.operation in line and missing.grant.name in line and "Grant this client" in line
        for line in said.splitlines()
    )


def failures(step: int, folder: Path) -> tuple[int, list[str]]:
    """Takes away each ``step``-th grant of those who work; how many, and what was not named or was lost."""

    async def run(secured: Secured) -> list[str]:
        secured.make_topics()
        wrong: list[str] = []
        for number, missing in enumerate(chosen):
            try:
                said, came = await tried(secured, missing, number)
            except Exception as error:
                wrong.append(f"{missing}: lost, for with the grant again: {error!r}")
                continue
            if came != "Hello you":
                wrong.append(f"{missing}: came to {came}")
            if not named(missing, said) and str(missing) not in OPTIONAL:
                wrong.append(f"{missing}: nobody named it")
        return wrong

    chosen = cells("processor", "worker", "client", "gateway")[::step]
    with secured_broker(folder) as secured:
        return len(chosen), asyncio.run(run(secured))


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


@contextmanager
def secured_broker(folder: Path) -> Iterator[Secured]:
    security = BrokerSecurity.make(folder / "security", users=ROLES)
    with KafkaBroker(
        directory=folder / "kafka",
        settings=security.broker_settings(),
        client_settings=security.client(ADMIN),
    ) as broker:
        yield Secured(broker, security, folder)
