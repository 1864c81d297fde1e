"""A real Kafka to test against: yours if you name one, otherwise a broker started from its jars.

    # conftest.py: the fixture is there once its name is
    from streamflow.testing.kafka import streamflow_kafka

    # a test
    async def test_orders(streamflow_kafka: str) -> None:
        async with kafka_environment(streamflow_kafka) as env, Worker(env.client, ...):
            await env.client.execute_workflow(...)

`STREAMFLOW_TEST_BOOTSTRAP=HOST:PORT` names a broker of your own. Without it one broker runs on the
loopback address until the block ends or this process dies, however it dies.

`python -m streamflow.testing.kafka` keeps a broker in the foreground and prints its address.
Not here: fakes. Tests that need no Kafka use the memory log (`WorkflowEnvironment`).
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
import uuid
from collections.abc import AsyncGenerator, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from streamflow.testing.kafka_broker import KafkaBroker
from streamflow.testing.kafka_distribution import KafkaUnavailable, kafka_distribution

if TYPE_CHECKING:
    from streamflow.testing.environment import WorkflowEnvironment

__all__ = [
    "BOOTSTRAP_VARIABLE",
    "KafkaBroker",
    "KafkaUnavailable",
    "kafka_environment",
    "kafka_for_tests",
]

BOOTSTRAP_VARIABLE: Final = "STREAMFLOW_TEST_BOOTSTRAP"


@contextmanager
def kafka_for_tests(*, long_lived: bool = False) -> Generator[str]:
    """Bootstrap address of your own broker if the environment names one, else of a fresh local one (`KafkaBroker`).

    Raises:
        KafkaUnavailable: Java or Maven is missing, or the broker did not come up.
    """
    if named := os.environ.get(BOOTSTRAP_VARIABLE):
        yield named
        return
    with KafkaBroker(long_lived=long_lived) as broker:
        yield broker.bootstrap


@asynccontextmanager
async def kafka_environment(
    bootstrap: str, *, namespace: str | None = None, **options: Any
) -> AsyncGenerator[WorkflowEnvironment]:
    """A test's workflows on this Kafka, in real time, in a namespace that no other test has.

    Topics are made when they are needed. ``options`` are `Client.connect`'s.
    """
    from streamflow.client import Client
    from streamflow.testing.environment import WorkflowEnvironment

    namespace = namespace or f"test-{uuid.uuid4().hex[:12]}"
    client = await Client.connect(bootstrap, namespace=namespace, create_topics=True, **options)
    async with client:
        yield WorkflowEnvironment.from_client(client)


def __getattr__(name: str) -> Any:
    """`streamflow_kafka`, made when it is asked for: this module itself does without pytest."""
    if name != "streamflow_kafka":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import pytest

    @pytest.fixture(scope="session")
    def streamflow_kafka() -> Generator[str]:
        """The address of a Kafka, as `kafka_for_tests` finds or starts it, for all tests of the session."""
        with kafka_for_tests() as bootstrap:
            yield bootstrap

    return streamflow_kafka


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a broker in the foreground until it is interrupted or terminated."""
    parser = argparse.ArgumentParser(
        prog="python -m streamflow.testing.kafka",
        description="Run a Kafka broker on the loopback address and print its HOST:PORT.",
    )
    parser.add_argument("--directory", type=Path, help="keep the data here (default: temporary)")
    parser.add_argument(
        "--check", action="store_true", help="only fetch what it needs, and say what is missing"
    )
    options = parser.parse_args(arguments)
    try:
        if options.check:
            _check()
        else:
            _serve(options.directory)
    except KafkaUnavailable as error:
        sys.exit(str(error))


def _check() -> None:
    if not os.environ.get(BOOTSTRAP_VARIABLE):
        kafka_distribution()


def _serve(directory: Path | None) -> None:
    for how in (signal.SIGINT, signal.SIGTERM):
        signal.signal(how, _exit)
    with KafkaBroker(directory=directory, long_lived=True) as broker:
        sys.stdout.write(f"{broker.bootstrap}\n")
        sys.stdout.flush()
        while broker.is_running:
            time.sleep(0.2)
        raise KafkaUnavailable(f"The broker ended by itself. Its log:\n{broker.log_tail()}")


def _exit(_signal: int, _frame: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
