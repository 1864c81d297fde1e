"""A real Kafka to test against: yours if you name one, otherwise a broker started from its jars.

    @pytest.fixture(scope="session")
    def kafka_bootstrap() -> Iterator[str]:
        with kafka_for_tests() as bootstrap:
            yield bootstrap

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
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from streamflow.testing.kafka_broker import KafkaBroker
from streamflow.testing.kafka_distribution import KafkaUnavailable, kafka_distribution

__all__ = ["BOOTSTRAP_VARIABLE", "KafkaBroker", "KafkaUnavailable", "kafka_for_tests"]

BOOTSTRAP_VARIABLE: Final = "STREAMFLOW_TEST_BOOTSTRAP"


@contextmanager
def kafka_for_tests() -> Generator[str]:
    """Bootstrap address of your own broker if the environment names one, else of a fresh local one.

    Raises:
        KafkaUnavailable: Java or Maven is missing, or the broker did not come up.
    """
    if named := os.environ.get(BOOTSTRAP_VARIABLE):
        yield named
        return
    with KafkaBroker() as broker:
        yield broker.bootstrap


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
    with KafkaBroker(directory=directory) as broker:
        sys.stdout.write(f"{broker.bootstrap}\n")
        sys.stdout.flush()
        while broker.is_running:
            time.sleep(0.2)
        raise KafkaUnavailable(f"The broker ended by itself. Its log:\n{broker.log_tail()}")


def _exit(_signal: int, _frame: object) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
