"""Runs whose code goes wrong: they wait with the reason, everything else goes on, and they heal."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from streamflow.converter import DataConverter, PayloadCodec
from streamflow.coroutine.definition import definition_of
from streamflow.engine.context import Limits
from streamflow.engine.sizes import SHOWN_CHARS_MAX, failure_bytes
from streamflow.memory.faults import Rates
from streamflow.model.answers import Done, QueryAnswer, Reason, Rejection
from streamflow.model.commands import QueryWorkflow, SignalWorkflow, TerminateWorkflow
from streamflow.model.events import WorkflowFailed
from streamflow.model.failure import HISTORY_TOO_LONG
from streamflow.model.payload import Payload
from streamflow.processor.host.watchdog import Suspects, code_of, suspect_of
from streamflow.processor.steps.trouble import FAILURE_BYTES_MAX
from streamflow.wire.keys import EntityKind
from tests.unit.processor.asking import W, add, trouble
from tests.unit.processor.programs import Buggy, Counter, Fault, Hello, Weird
from tests.unit.processor.stage import Stage, payload, start


@pytest.fixture(autouse=True)
def healthy() -> Iterator[None]:
    Fault.error = None
    yield
    Fault.error = None


def marks(stage: Stage) -> list[bool]:
    """Whether each trouble record is one, or a tombstone."""
    return [record.value is not None for record in stage.of_kind(EntityKind.TROUBLE)]


# -- the code ---------------------------------------------------------------------------------------------------------


def test_a_bug_leaves_the_run_stuck_and_is_retried_with_backoff() -> None:
    """1 s, 2 s, 4 s, ... Nothing but the trouble is recorded meanwhile."""
    Fault.error = ValueError("bug")
    stage = Stage([Buggy])
    stage.begin("Buggy")
    began_ms = stage.clock.now_ms()

    stage.pass_time(20_000)

    found = trouble(stage)
    assert found is not None
    assert (found.kind, found.count) == ("stuck", 5)
    assert found.since_ms == began_ms
    assert found.next_try_ms == began_ms + 31_000
    assert "ValueError: bug" in found.message
    assert stage.kinds() == ["WorkflowStarted"]


def test_a_long_message_is_shown_by_its_beginning() -> None:
    """All of it might be too large for a record, and the log would refuse what is said of the run."""
    Fault.error = ValueError("no" * 600_000)
    stage = Stage([Buggy])

    stage.begin("Buggy")

    found = trouble(stage)
    assert found is not None
    assert found.message.startswith("ValueError: nono")
    assert len(found.message) <= SHOWN_CHARS_MAX
    assert failure_bytes(found.failure) <= FAILURE_BYTES_MAX


def test_healed_code_goes_on_by_itself_and_the_trouble_goes() -> None:
    """Also where the healed step is the run's last one."""
    Fault.error = ValueError("bug")
    stage = Stage([Buggy])
    stage.begin("Buggy")
    Fault.error = None

    stage.pass_time(1_000)

    assert stage.kinds()[-1] == "WorkflowCompleted"
    assert trouble(stage) is None
    assert marks(stage)[-1] is False
    assert stage.rows().troubled_runs(10) == []


def test_a_stuck_run_can_be_terminated_and_leaves_no_trouble_behind() -> None:
    Fault.error = ValueError("bug")
    stage = Stage([Buggy])
    stage.begin("Buggy")

    stage.ask(TerminateWorkflow(workflow_id=W))

    assert marks(stage) == [True, False]
    assert stage.rows().troubled_runs(10) == []


def test_a_stuck_run_keeps_what_it_is_sent() -> None:
    """In order, for the code that will heal it."""
    stage = Stage([Hello])
    stage.begin("Counter")
    for what in "abc":
        signal = SignalWorkflow(workflow_id=W, signal_name="add", args=(payload(what),))
        assert isinstance(stage.ask(signal), Done)

    stage.workflows.append(Counter)
    stage.restart()

    count = QueryWorkflow(workflow_id=W, query_name="count")
    assert stage.ask(count) == QueryAnswer(result=payload(3))


def test_an_unregistered_type_is_parked_and_tried_at_once_by_a_new_process() -> None:
    """The start is accepted: a deployment may only be late."""
    stage = Stage([Counter])
    assert isinstance(stage.begin("Hello"), Done)
    found = trouble(stage)
    assert found is not None
    assert found.kind == "unregistered"
    assert "Counter" in found.message

    stage.workflows.append(Hello)
    stage.restart()

    assert stage.kinds()[-1] == "WorkflowCompleted"


def test_retries_at_once_are_not_lost_with_an_aborted_batch() -> None:
    """The first transaction after a restart may fail; the runs would wait out their backoff."""
    Fault.error = ValueError("bug")
    stage = Stage([Buggy])
    stage.begin("Buggy")
    stage.pass_time(20_000)
    Fault.error = None
    stage.processor.close()
    stage.start()
    stage.broker.faults.rates = Rates(aborted=1.0)
    for _ in range(10):
        stage.processor.turn()

    stage.broker.faults.calm()
    stage.settle()

    assert stage.kinds()[-1] == "WorkflowCompleted"


def test_other_runs_go_on_beside_stuck_ones() -> None:
    Fault.error = ValueError("bug")
    stage = Stage([Buggy, Hello])
    stage.settle()
    for number in range(10):
        stage.send(start("Buggy" if number % 2 else "Hello", f"w{number}"), reply=False)

    stage.settle()

    done = [number for number in range(10) if "WorkflowCompleted" in stage.kinds(f"w{number}")]
    assert done == [0, 2, 4, 6, 8]


class Keys(PayloadCodec):
    """A codec whose keys cannot always be had."""

    def __init__(self) -> None:
        self.there = True

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        if not self.there:
            raise ConnectionError("no keys")
        return [Payload(p.metadata, p.data[::-1]) for p in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        return await self.encode(payloads)


def test_a_codec_that_fails_leaves_the_run_stuck_until_it_works_again() -> None:
    """The fault is not the engine's, so nothing is quarantined and no command is lost."""
    codec = Keys()
    converter = dataclasses.replace(DataConverter.default, payload_codec=codec)
    stage = Stage([Hello], converter=converter)
    stage.settle()
    codec.there = False
    stage.begin("Hello")
    found = trouble(stage)
    assert found is not None
    assert found.kind == "stuck"
    assert "no keys" in found.message
    assert stage.dead_letters() == []

    codec.there = True
    stage.pass_time(60_000)

    assert stage.kinds()[-1] == "WorkflowCompleted"
    stage.processor.close()  # and with it the loop on which the codec ran


def test_text_that_is_no_text_does_not_stop_anything() -> None:
    """Half a surrogate pair has no UTF-8 form; the run fails as it wanted to."""
    stage = Stage([Weird, Hello])

    stage.begin("Weird")
    stage.begin("Hello", "h")

    assert stage.kinds()[-1] == "WorkflowFailed"
    assert stage.kinds("h")[-1] == "WorkflowCompleted"


def test_a_history_that_grows_too_long_ends_its_run_with_advice() -> None:
    """Not retried, for it would only do the same; its state can still be asked for."""
    stage = Stage([Counter], limits=Limits(events_max=20, events_warn=10))
    stage.begin("Counter")

    for number in range(20):
        stage.send(SignalWorkflow(workflow_id=W, signal_name="add", args=(payload(str(number)),)))
        stage.settle()

    failed = stage.events()[-1]
    assert isinstance(failed, WorkflowFailed)
    assert failed.failure.type == HISTORY_TOO_LONG
    assert "is_continue_as_new_suggested" in failed.failure.message
    stage.restart(crash=True, disk="empty")
    answer = stage.ask(QueryWorkflow(workflow_id=W, query_name="count"))
    assert isinstance(answer, QueryAnswer)


# -- steps that end the process ---------------------------------------------------------------------------------------


def test_a_run_that_ended_the_process_too_often_is_not_tried_again_until_its_code_changes(
    tmp_path: Any,
) -> None:
    """Neither for its inputs nor for a query."""
    stage = Stage([Counter], state_folder=str(tmp_path))
    answer = stage.begin("Counter")
    assert isinstance(answer, Done)
    stage.processor.close()
    for _ in range(3):
        suspects = Suspects(str(tmp_path), _code_of(stage))
        suspects.entered(suspect_of(W))
        suspects.close()
    stage.start()
    stage.ask(add("x"))

    found = trouble(stage)
    query = stage.ask(QueryWorkflow(workflow_id=W, query_name="count"))

    assert found is not None
    assert (found.kind, found.next_try_ms) == ("quarantined", 0)
    assert isinstance(query, Rejection)
    assert query.reason is Reason.QUARANTINED
    stage.processor.close()
    changed = Suspects(str(tmp_path), "other code")
    assert changed.count(suspect_of(W)) == 0
    changed.close()


def _code_of(stage: Stage) -> str:
    return code_of([definition_of(cls) for cls in stage.workflows])
