"""Follows workflows by reading the `executions` topic: one line for each change of each run.

    python examples/inbox_producer/follow_orders.py localhost:9092

Values are Avro with single-object encoding: two marker bytes, eight of the schema's fingerprint, then the record. The
schemas are plain files in `schemas/`; only the one of today is used here, older ones have other fingerprints.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from confluent_kafka import Consumer
from fastavro import schemaless_reader
from fastavro.schema import load_schema

SCHEMAS = Path(__file__).parents[2] / "schemas"
SUMMARY = load_schema(str(SCHEMAS / "executions/ExecutionSummary.avsc"))
MARKER = b"\xc3\x01"
HEADER_BYTES = 10


def line(key: bytes, value: bytes | None) -> str:
    """What a record of the feed says of its run; one without a value says that the run is forgotten."""
    _queue, workflow_id, run_id = json.loads(key)
    if value is None:
        return f"{workflow_id}  {run_id}  forgotten"
    if not value.startswith(MARKER):
        raise ValueError(f"Expected Avro with single-object encoding, found {value[:2]!r}")
    run: Any = schemaless_reader(io.BytesIO(value[HEADER_BYTES:]), SUMMARY, None)
    return f"{workflow_id}  {run_id}  {run['status']}  {run['last_failure']}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description="Print changes of workflows.")
    parser.add_argument("bootstrap", help="HOST:PORT of Kafka")
    parser.add_argument("--namespace", default="default")
    parser.add_argument("--workflows", type=int, help="end when so many have been named")
    options = parser.parse_args()
    consumer = Consumer(
        {
            "bootstrap.servers": options.bootstrap,
            "group.id": f"follow-{uuid4()}",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            # What a transaction wrote is read only when it is committed.
            "isolation.level": "read_committed",
        }
    )
    consumer.subscribe([f"{options.namespace}.executions"])
    named: set[str] = set()
    try:
        while options.workflows is None or len(named) < options.workflows:
            record = consumer.poll(1.0)
            if record is None:
                continue
            if record.error():
                raise SystemExit(f"Expected records, found {record.error()}")
            told = line(record.key() or b"", record.value())
            print(told, flush=True)
            named.add(told.split()[0])
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
