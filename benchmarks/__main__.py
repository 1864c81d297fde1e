"""``python -m benchmarks [--quick] [--only PATTERN] [--brokers 3] [--json FILE]``: runs the cases, prints one table, writes the JSON."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.cases import CASES
from benchmarks.figures import Row, table
from benchmarks.orders import QUICK, Effort
from streamflow.testing.kafka import kafka_for_tests
from streamflow.testing.kafka_cluster import KafkaCluster


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short repeat of each case")
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases whose name matches")
    parser.add_argument(
        "--brokers",
        type=int,
        choices=(1, 3),
        default=1,
        help="3: a cluster that keeps three copies, two of them in sync",
    )
    parser.add_argument("--json", type=Path, default=Path("bench.json"), metavar="FILE")
    options = parser.parse_args()
    chosen = {name: case for name, case in CASES.items() if re.search(options.only, name)}
    if not chosen:
        sys.exit(
            f"Expected a pattern that matches one of {', '.join(CASES)}, found {options.only!r}"
        )
    os.environ.setdefault("STREAMFLOW_LOG_LEVEL", "warning")
    effort = QUICK if options.quick else Effort()
    rows: list[Row] = []
    with _kafka(options.brokers) as bootstrap, tempfile.TemporaryDirectory() as folder:
        bench = Bench(bootstrap, Path(folder), effort)
        for name, case in chosen.items():
            print(f"{time.strftime('%H:%M:%S')} {name}", file=sys.stderr, flush=True)
            rows += asyncio.run(case(bench))
            print(table(rows[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    print(table(rows))
    options.json.write_text(
        json.dumps(
            {
                "machine": _machine(),
                "brokers": options.brokers,
                "rows": [row.as_json() for row in rows],
            },
            indent=1,
        )
        + "\n"
    )


@contextmanager
def _kafka(brokers: int) -> Generator[str]:
    """The bootstrap address of so many."""
    if brokers == 1:
        with kafka_for_tests(long_lived=True) as bootstrap:
            yield bootstrap
    else:
        with KafkaCluster() as cluster:
            yield cluster.direct


def _machine() -> dict[str, object]:
    return {
        "cpus": os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }


if __name__ == "__main__":
    main()
