"""Seeded runs of several processes while everything goes wrong: what holds, what repeats, what is found."""

from __future__ import annotations

import asyncio

import pytest

from streamflow.memory.faults import Faults, Rates
from streamflow.memory.log import MemoryLog
from streamflow.memory.simloop import SimLoop, simulate
from tests.unit.memory.stage import OUT, Echo, new_broker, record, values

ROUGH = Rates(
    aborted=0.1,
    unknown_committed=0.05,
    unknown_open=0.05,
    unknown_late=0.05,
    marker_late=0.2,
    delivery_late=0.2,
    unavailable=0.05,
    rebalance=0.05,
    session_lost=0.02,
)
EACH_ONCE = [str(n) for n in range(60)]


def rough_run(
    seed: int, machine: type[Echo] = Echo
) -> tuple[str, list[tuple[str, str]], list[str]]:
    """Three processes copy 60 records exactly once, while everything goes wrong and two of them are hit on top."""
    trace: list[tuple[str, str]] = []
    faults = Faults(seed, ROUGH)

    async def main(loop: SimLoop) -> tuple[str, list[str]]:
        broker = new_broker(
            partitions=4,
            clock=loop.clock,
            faults=faults,
            trace=lambda process, call: trace.append((process, call)),
        )
        logs = {name: MemoryLog(broker, name) for name in "abc"}
        for name, log in logs.items():
            log.drive(machine(log, name), name=name)
        faults.crash_at("a", 20 + seed % 30)
        for n in range(60):
            broker.append(record(str(n), partition=n % 4))
            await asyncio.sleep(0.02)
            if n == 20:
                logs["b"].pause()
        await asyncio.sleep(8)
        logs["b"].resume()
        if logs["a"].process.dead:
            again = MemoryLog(broker, "a")
            again.drive(machine(again, "a"), name="a")
        faults.calm()
        await asyncio.sleep(60)
        return broker.digest(), values(broker.records("out"))

    digest, out = simulate(main, seed=seed)
    return digest, trace, out


@pytest.mark.parametrize("seed", range(25))
def test_every_record_is_copied_exactly_once_whatever_goes_wrong(seed: int) -> None:
    """Aborts, unknown outcomes, late markers, lost sessions, a crash and a pause."""
    out = rough_run(seed)[2]

    assert sorted(out, key=int) == EACH_ONCE


def test_the_same_seed_gives_the_same_run() -> None:
    """Every port call and every byte of the log, times included; another seed gives another run."""
    first, second, other = rough_run(3), rough_run(3), rough_run(4)

    assert first == second
    assert first[0] != other[0]


class Forgetful(Echo):
    """Planted: goes on behind an aborted transaction as if it had been committed."""

    def replay(self) -> None: ...


class Hasty(Echo):
    """Planted: takes the committed position without waiting for who still decides about it."""

    def begin_waiting(self) -> None:
        assert self.source is not None
        for partition in sorted(self.waits):
            committed = self.source.committed([partition], stable=False)[partition]
            offset = committed.offset if committed else 0
            self.source.start_reading({partition: offset})
            self.next[partition] = offset
            self.waits.discard(partition)


@pytest.mark.parametrize("machine", [Forgetful, Hasty])
def test_a_planted_bug_is_found_within_few_seeds(machine: type[Echo]) -> None:
    """The stage is rough enough to tell a wrong machine from a right one."""
    assert any(sorted(rough_run(seed, machine)[2], key=int) != EACH_ONCE for seed in range(60))


def test_lost_replies_duplicates_and_doubtful_sends() -> None:
    """Replies may be dropped on their way to a client; what is sent may be there twice, or though given up."""
    faults = Faults(
        1,
        Rates(reply_dropped=0.5, sent_twice=0.3, send_refused=0.2, send_doubtful=0.2),
        reply_topics=lambda topic: topic == "out",
    )
    broker = new_broker(faults=faults)
    log = MemoryLog(broker)
    heard: list[str] = []
    answers: list[bool] = []
    log.tail(OUT, lambda records: heard.extend(values(records)))
    producer = log.producer()
    for n in range(60):
        producer.send(record(str(n), "out"), lambda error: answers.append(error is None))
    broker.run()

    written = values(broker.records("out"))
    assert len(answers) == 60
    assert len(set(written)) < 60  # some were refused
    assert len(written) > len(set(written))  # some are there twice
    assert sum(answers) < len(set(written))  # some are there though given up
    assert 0 < len(heard) < len(written)
