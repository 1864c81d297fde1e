"""Runs the proof and prints one table: what was tried, what was injected, what was found.

    python -m tests.reliability                       everything; hours
    python -m tests.reliability --share 0.01          a hundredth of it
    python -m tests.reliability --only simulation     one layer (see LAYERS)
    python -m tests.reliability --out DIR             writes report.json, and the raw histories of `cluster`

Every failure names the seed, mutant or point that repeats it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from streamflow.testing.kafka_cluster import KafkaCluster
from tests.mutants.catalogue import MUTANTS
from tests.mutants.mutant import ROOT
from tests.mutants.run import judge_all
from tests.reliability import decoders, stores
from tests.reliability.cluster.run import Run
from tests.reliability.grants import matrix
from tests.saying import say
from tests.simulation import crash_points
from tests.simulation.many import outcome
from tests.simulation.quiet import be_quiet

SIMULATION_SEEDS: Final = 20_000
DECODER_INPUTS: Final = 10_000_000
STORE_KILLS: Final = 500
STORE_DAMAGES: Final = 2_000
CLUSTER_S: Final = 3_600.0
TRANSFERS_A_SECOND: Final = 35.0
"""Some 1.1 workflows each: over 100,000 in an hour."""
CORES: Final = os.cpu_count() or 1


class Result(NamedTuple):
    """``found`` is what went wrong, each as a text that says how to repeat it."""

    ran: str
    injected: str
    found: tuple[str, ...]


def simulation(share: float) -> Result:
    """Whole systems on the memory log, each seed with faults of its own."""
    told = outcome(range(max(20, int(SIMULATION_SEEDS * share))))
    return Result(f"{told.seeds:,} seeds", f"{told.faults:,} faults", told.failures)


def mutants(share: float) -> Result:
    """Bugs planted into our own code; one that no test finds is a failure of the tests."""
    chosen = MUTANTS[:: max(1, round(0.1 / share))] if share < 0.1 else MUTANTS
    verdicts = list(judge_all(chosen))
    alive = tuple(f"not found: {one.mutant.name}" for one in verdicts if not one.killed)
    safety = sum(one.mutant.safety for one in verdicts)
    return Result(f"{len(verdicts)} mutants", f"{safety} of them against safety", alive)


def crashes(share: float) -> Result:
    """A crash at every call to the log, in every shape of workflow."""
    tried, found = crash_points.failures(max(1, round(1 / share)))
    return Result(f"{len(crash_points.shapes())} shapes", f"{tried:,} crashes", tuple(found))


def error_table(share: float) -> Result:
    """Each error of a broker in each request of a transaction, on the client library's mock cluster."""
    return _pytest("tests/unit/kafka/test_error_table.py", injected="one error each")


def store_kills(share: float) -> Result:
    """`kill -9` of a process that writes a store."""
    times = max(5, int(STORE_KILLS * share))
    with ProcessPoolExecutor(CORES) as pool:
        parts = list(pool.map(partial(stores.kill, times // CORES + 1), range(CORES)))
    found = tuple(wrong for part in parts for wrong in part)
    return Result("one store after the other", f"{CORES * (times // CORES + 1):,} kills", found)


def store_damage(share: float) -> Result:
    """Bits flipped in, and ends cut off, the files of a store."""
    times = max(20, int(STORE_DAMAGES * share))
    told, found = stores.damage(times, seed=1)
    ran = ", ".join(f"{count} {what}" for what, count in told.most_common())
    return Result(ran, f"{times:,} damages", tuple(found))


def bytes_of_all_kinds(share: float) -> Result:
    """Damaged records of every kind, given to everything that reads bytes."""
    inputs = max(10_000, int(DECODER_INPUTS * share))
    with ProcessPoolExecutor(CORES) as pool:
        parts = list(pool.map(partial(decoders.fuzz, inputs // CORES), range(CORES)))
    found = tuple(wrong for part in parts for wrong in part)
    return Result(f"{len(decoders.samples())} samples", f"{inputs:,} inputs", found)


def real_kafka(share: float) -> Result:
    """`kill -9`, pauses and restarts of processors, workers and the broker on a real Kafka."""
    return _pytest("tests/faults", injected="20 kills or more a case")


def on_three_brokers(share: float, *, out: Path | None = None) -> Result:
    """Kills, pauses and network troubles of processors, workers and three replicated brokers, under a bank and lists."""
    folder = (out or Path(tempfile.mkdtemp(prefix="streamflow-proof-"))) / "cluster"
    seed = random.SystemRandom().randrange(1 << 32)
    say(f"seed {seed}, raw histories in {folder}")
    with KafkaCluster(directory=folder / "kafka") as cluster:
        run = Run(cluster, folder, "proof", seed=seed)
        verdict = run(max(30.0, CLUSTER_S * share), rate=TRANSFERS_A_SECOND)
    say(verdict.text())
    return Result(
        f"{verdict.workflows:,} workflows, {verdict.events:,} events",
        verdict.injected(),
        tuple(f"{one.kind}: {one.text}" for one in verdict.wrong),
    )


def every_grant(share: float) -> Result:
    """Each grant of each role taken away alone, on a broker with TLS, SASL and an authorizer."""
    with tempfile.TemporaryDirectory() as folder:
        tried, found = matrix.failures(max(1, round(1 / share)), Path(folder))
    return Result("five roles", f"{tried} missing grants", tuple(found))


LAYERS: Final[dict[str, Callable[[float], Result]]] = {
    "simulation": simulation,
    "mutants": mutants,
    "crash points": crashes,
    "error table": error_table,
    "store kills": store_kills,
    "store damage": store_damage,
    "decoders": bytes_of_all_kinds,
    "real Kafka": real_kafka,
    "cluster": on_three_brokers,
    "grants": every_grant,
}


def _pytest(path: str, *, injected: str) -> Result:
    """Tests whose number is their own; the summary line is what ran."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    lines = ended.stdout.strip().splitlines()
    failed = tuple(line for line in lines if line.startswith(("FAILED", "ERROR")))
    if ended.returncode and not failed:
        failed = (f"{' '.join(command)} ended with {ended.returncode}: {ended.stdout[-2_000:]}",)
    return Result(lines[-1] if lines else "nothing", injected, failed)


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(
        command, cwd=ROOT, check=False, capture_output=True, text=True
    ).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=LAYERS)
    parser.add_argument("--share", type=float, default=1.0, help="of the full numbers (default 1)")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    be_quiet()
    layers: dict[str, Callable[[float], Result]] = {
        **LAYERS,
        "cluster": partial(on_three_brokers, out=options.out),
    }
    report: dict[str, object] = {"commit": _commit(), "date": f"{datetime.now(UTC):%Y-%m-%d}"}
    failed = False
    say(f"{'layer':<13} {'ran':<45} {'injected':<24} {'found':>5} {'took':>8}")
    for name in [options.only] if options.only else LAYERS:
        begun = time.monotonic()
        result = layers[name](options.share)
        seconds = time.monotonic() - begun
        count = len(result.found)
        say(f"{name:<13} {result.ran:<45} {result.injected:<24} {count:>5} {seconds:>6,.0f} s")
        for wrong in result.found:
            say(f"    {wrong}")
        report[name] = {**result._asdict(), "seconds": round(seconds, 1)}
        failed = failed or bool(result.found)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        file = options.out / "report.json"
        file.write_text(json.dumps(report, indent=1), encoding="utf-8")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
