"""An owner in a process of its own, that can be stopped, resumed and killed.

Run as a module it is that process: it joins, then obeys one word a line.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from queue import Empty, Queue
from typing import TYPE_CHECKING, Self

from streamflow.kafka import KafkaLog
from streamflow.kafka.records import to_client
from streamflow.ports import Committed, LogError, OutRecord, TopicPartition

if TYPE_CHECKING:
    from tests.integration.kafka.conftest import World

PATIENCE_S = 40.0


class OtherOwner:
    """The tests' side of it."""

    def __init__(self, world: World, suffix: str, *, partitions: int = 2) -> None:
        facts = {
            "bootstrap": world.log._options.bootstrap,
            "group": world.group,
            "inbox": world.inbox,
            "output": world.output,
            "name": world.name(suffix),
            "partitions": str(partitions),
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.kafka.other_owner", json.dumps(facts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._heard: Queue[str] = Queue()
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def expect(self, word: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        heard: list[str] = []
        while word not in heard:
            try:
                heard.append(self._heard.get(timeout=max(0.0, deadline - time.monotonic())))
            except Empty:
                raise AssertionError(
                    f"Expected {word!r} of the other owner, heard {heard}"
                ) from None

    def tell(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._heard.put(line.strip())


class _Owner:
    """The process's side of it."""

    def __init__(self, facts: dict[str, str]) -> None:
        self.facts = facts
        self.assigned: list[TopicPartition] = []
        log = KafkaLog.connect(facts["bootstrap"])
        self.transactor = log.transactor(facts["name"])
        self.transactor.open()
        self.source = log.source(
            group=facts["group"], topics=[facts["inbox"]], listener=self, instance=facts["name"]
        )
        while len(self.assigned) < int(facts["partitions"]):
            self.source.poll(10, 50)

    def on_assigned(self, partitions: Sequence[TopicPartition]) -> None:
        self.assigned += partitions

    def on_revoked(self, partitions: Sequence[TopicPartition]) -> None: ...

    def on_lost(self, partitions: Sequence[TopicPartition]) -> None: ...

    def obey(self, word: str) -> str:
        record = OutRecord(self.facts["output"], 0, b"k", b"old")
        where = TopicPartition(self.facts["inbox"], 0)
        if word == "open":
            lane = self.transactor._lanes[0]
            lane._producer.begin_transaction()
            lane._producer.produce(record.topic, record.value, record.key, record.partition)
            lane._producer.send_offsets_to_transaction(
                [to_client(where, 77)], self.source.group_metadata(), 10
            )
            lane._producer.flush(10)
            return "opened"
        if word == "abandon":
            # Long enough for the coordinator to ask for a rebalance that nobody answers.
            time.sleep(2)
            del self.source
            gc.collect()
            return "abandoned"
        assert word == "commit", word
        try:
            self.transactor.commit([record], {where: Committed(77)}, self.source)
        except LogError as error:
            return type(error).__name__
        return "committed"


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def _main() -> None:
    owner = _Owner(json.loads(sys.argv[1]))
    _say("joined")
    for line in sys.stdin:
        _say(owner.obey(line.strip()))


if __name__ == "__main__":
    _main()
