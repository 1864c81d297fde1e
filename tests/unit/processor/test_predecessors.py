"""What is done about the owners before: the dead are fenced, and nobody else."""

from __future__ import annotations

from collections.abc import Callable

from streamflow.memory.faults import Rates
from streamflow.memory.store import MemoryStores
from streamflow.model.answers import QueryAnswer
from streamflow.ports import TopicPartition
from streamflow.processor.state.partition import State
from streamflow.topology import inbox_topic, processor_group
from streamflow.wire.offset_note import read_note
from tests.unit.processor.asking import COUNT, add
from tests.unit.processor.programs import Counter
from tests.unit.processor.stage import NS, QUEUE, Stage, payload

INBOX = inbox_topic(NS, QUEUE)


def calls_of_another(stage: Stage) -> list[str]:
    """What the process that comes after the first asks of the log, in order."""
    calls: list[str] = []

    def trace(process: str, call: str) -> None:
        if process == "other":
            calls.append(call)

    stage.broker.trace = trace
    return calls


def taken_over(stage: Stage) -> list[str]:
    """Its owner dies and another process takes all over: what that asked of the log."""
    stage.log.crash()
    stage.stores = MemoryStores()
    calls = calls_of_another(stage)
    stage.start("other")
    stage.pass_time(30_000)
    return calls


def test_a_dead_owner_is_fenced_before_its_history_is_read() -> None:
    """Or what it left open would have to be waited for, and what it still sends could come after."""
    stage = Stage([Counter])
    stage.begin("Counter")

    calls = taken_over(stage)

    assert stage.ask(COUNT) == QueryAnswer(result=payload(0))
    assert calls.index("transactor.fence") < calls.index("read")


def test_a_dead_owner_of_many_partitions_is_fenced_once() -> None:
    """Its transactional IDs are the same for all that it had; each time takes as long as a few transactions."""
    stage = Stage([Counter], partitions=8)
    for number in range(16):
        stage.begin("Counter", f"w{number}")

    calls = taken_over(stage)

    assert len(stage.processor.partitions) == 8
    assert all(p.state is State.ACTIVE for p in stage.processor.partitions.values())
    assert calls.count("transactor.fence") == 1


def test_an_owner_that_lives_is_not_fenced() -> None:
    """Its farewell failed, so the offset still names it; what it commits for the partitions that it keeps must go on."""
    stage = Stage([Counter], partitions=2)
    for number in range(8):
        stage.begin("Counter", f"w{number}")
    first = stage.processor
    stage.stores = MemoryStores()
    calls = calls_of_another(stage)
    stage.broker.faults.rates = Rates(aborted=1.0)
    second = stage.start("other")

    def turn_both_until(done: Callable[[], bool]) -> None:
        for _ in range(1_000):
            if done():
                return
            for processor in (first, second):
                processor.turn()
            stage.broker.run()
            stage.clock.advance(50)
        raise AssertionError("never")

    turn_both_until(lambda: len(first.partitions) == 1)
    given_up = TopicPartition(INBOX, 1 - next(iter(first.partitions)))
    group = stage.broker.group(processor_group(NS, QUEUE))
    left = read_note(group.positions.stable([given_up])[given_up])
    assert left is not None
    assert left.owner == "p"
    stage.broker.faults.calm()
    turn_both_until(
        lambda: [partition.state for partition in second.partitions.values()] == [State.ACTIVE]
    )
    for number in range(8):
        stage.send(add("a", f"w{number}"))
    before = first.counters.transactions
    turn_both_until(lambda: first.counters.transactions > before)

    assert "transactor.fence" not in calls
    assert first.counters.fenced == 0
