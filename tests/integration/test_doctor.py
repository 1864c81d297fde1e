"""``streamflow doctor`` on a real Kafka, beside a worker and after it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from streamflow.cli.shared.exits import ExitCode, run
from streamflow.client import Client
from streamflow.kafka import KafkaLog
from streamflow.ports import Committed, OutRecord, TopicPartition
from streamflow.topology import history_topic, inbox_topic, processor_group
from streamflow.wire.header import SF, entry_hash, unpack
from streamflow.wire.keys import EntityKind, event_key, parse_key
from streamflow.worker import Worker
from tests.faults import orders

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

QUEUE = "orders"


def worker(client: Client, folder: Path) -> Worker:
    return Worker(
        client,
        task_queue=QUEUE,
        workflows=[orders.Order],
        activities=orders.ACTIVITIES,
        activity_executor=ThreadPoolExecutor(4),
        name="p",
        state_dir=folder,
        partitions=2,
    )


async def doctor(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = await asyncio.to_thread(run, ["doctor", "--verify", "--dev", "-o", "json", *words])
    facts: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, facts


def wrong(facts: dict[str, Any], severity: str = "problem") -> list[str]:
    return [one["message"] for one in facts["findings"] if one["severity"] == severity]


async def test_the_doctor_tells_the_sound_from_the_damaged_and_how_to_go_on(
    kafka_bootstrap: str,
    namespace: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """First beside a worker that is at work; then an event is forged, and the group's offset put where no history is.
    With the commands that it names the order comes to its end, and nothing is wrong any more."""
    monkeypatch.setenv("WITNESS", str(tmp_path / "witness.jsonl"))
    at = ["-n", namespace, "--kafka", kafka_bootstrap, "--state-dir", str(tmp_path)]
    async with (
        await Client.connect(kafka_bootstrap, namespace=namespace, create_topics=True) as client,
        worker(client, tmp_path),
    ):
        started = [
            await client.start_workflow("Order", number, id=f"o{number}", task_queue=QUEUE)
            for number in (1, 3, 13)
        ]
        for declined in started[1:]:
            with pytest.raises(Exception, match="failed"):
                await declined.result()

        code, facts = await doctor(capsys, *at)

        assert wrong(facts) == []
        assert code == ExitCode.OK
        assert (facts["verified"][0]["runs"], facts["verified"][0]["open_runs"]) == (3, 1)
        assert any("processors are alive" in told for told in wrong(facts, "ok"))
        assert any("the log's" in told for told in wrong(facts, "ok"))
    await asyncio.to_thread(_damage, kafka_bootstrap, namespace)

    code, facts = await doctor(capsys, *at)

    assert code == ExitCode.FAILED
    [broken] = facts["verified"][0]["broken"]
    assert (broken["workflow_id"], broken["kind"]) == ("o1", "forked")
    assert any("lost acknowledged records" in told for told in wrong(facts))
    [advice] = [one for one in facts["findings"] if one["subject"].startswith("workflow o1")]
    reset, delete = advice["command"].split(" or ")
    async with (
        await Client.connect(kafka_bootstrap, namespace=namespace) as client,
        worker(client, tmp_path),
    ):
        for command in (reset, delete):
            words = [*command.split()[1:], "--address", kafka_bootstrap]
            assert await asyncio.to_thread(run, words) == ExitCode.OK, command
        order = client.get_workflow_handle("o1")
        for said in orders.signals(1):
            await order.signal(said)
        assert await order.result() == orders.RATED

    code, facts = await doctor(capsys, *at)

    assert (code, wrong(facts)) == (ExitCode.OK, [])


def _damage(bootstrap: str, namespace: str) -> None:
    log = KafkaLog.connect(bootstrap)
    try:
        producer = log.producer()
        producer.send(_forged(log, namespace))
        producer.flush(10_000)
        producer.close()
        _set_offset(log, namespace)
    finally:
        log.close()


def _forged(log: KafkaLog, namespace: str) -> OutRecord:
    """Event 3 of the open order once more, with other bytes."""
    reader = log.reader()
    try:
        for number in range(2):
            place = TopicPartition(history_topic(namespace, QUEUE), number)
            for batch in reader.read(place, 0, reader.end_offset(place)):
                for record in batch:
                    key = parse_key(record.key or b"")
                    if (key.kind, key.workflow_id, key.number) == (EntityKind.EVENT, "o1", 3):
                        packed = dict(record.headers)[SF]
                        assert unpack(packed).seq == 3
                        value = (record.value or b"") + b" "
                        assert entry_hash(packed, value) != entry_hash(packed, record.value or b"")
                        return OutRecord(
                            place.topic,
                            number,
                            event_key("o1", key.run_id, 3),
                            value,
                            record.headers,
                        )
    finally:
        reader.close()
    raise AssertionError("no event 3 of o1")


def _set_offset(log: KafkaLog, namespace: str) -> None:
    """As if the history had lost what the group's offset speaks of."""
    group = processor_group(namespace, QUEUE)
    inbox = TopicPartition(inbox_topic(namespace, QUEUE), 0)
    source = log.source(group=group, topics=[inbox.topic], listener=_Whoever(), instance="operator")
    try:
        for _ in range(200):
            source.poll(1, 100)
            if log.owners(group).get(inbox) == "operator":
                break
        source.commit({inbox: Committed(1, '[100000,"p",[]]')})
    finally:
        source.close()


class _Whoever:
    def on_assigned(self, partitions: object) -> None: ...
    def on_revoked(self, partitions: object) -> None: ...
    def on_lost(self, partitions: object) -> None: ...
