"""The outside world, in a process of its own: orders transfers, appends to sheets, reads them, and writes down what it was told.

    python -m tests.reliability.cluster.driver --kafka HOST:PORT --namespace N --rate 30 --seed 1 --out FILE

Starts and waits that are not answered are asked again until they are. Updates, signals and queries are sent once: an update's ID
holds for one run, and accounts go on in new ones. Each line of the file is one `Told`. Ends when everything that it began has
ended and every account and sheet is closed, after SIGTERM has said that it is enough.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from streamflow import wiring
from streamflow.client import Client, WorkflowUpdateFailedError
from streamflow.client.log.transport import LogTransport
from streamflow.common import WorkflowIDReusePolicy
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.service import RPCError, RPCStatusCode
from tests.faults.deployment import QUEUE
from tests.reliability.cluster import programs
from tests.reliability.cluster.told import Told, line_of

CALL_LIMIT = timedelta(seconds=20)
OPEN_MAX = 1_500
"""So many transfers are under way at most; then the world waits."""
SHEETS = 6
SHEET_LENGTH = 300
FLOOD = 700
"""Numbers sent to one sheet at once: more than a processor reads in a turn (500), of which it takes 50 of one workflow."""
FLOOD_EVERY_S = 30.0


class Driver:
    def __init__(self, client: Client, out: Path, *, seed: int) -> None:
        self._client = client
        self._random = random.Random(seed)
        self._file = out.open("w", encoding="utf-8", buffering=1)
        self._numbers = itertools.count()
        self._values = itertools.count(1)
        self._sheets = itertools.count()
        self._open = asyncio.Semaphore(OPEN_MAX)
        self._enough = False
        self.ordered = 0
        self.done = 0

    async def run(self, rate: float) -> None:
        for number in range(programs.ACCOUNTS):
            await self._start("Account", programs.account_id(number), programs.OPENING)
        async with asyncio.TaskGroup() as group:
            for _ in range(SHEETS):
                group.create_task(self._fill_sheets())
            group.create_task(self._flood_sheets())
            began = time.monotonic()
            while not self._enough:
                due = int((time.monotonic() - began) * rate)
                while self.ordered < due and not self._open.locked():
                    await self._open.acquire()
                    group.create_task(self._transfer(next(self._numbers)))
                    self.ordered += 1
                await asyncio.sleep(0.02)
        for number in range(programs.ACCOUNTS):
            await self._end(programs.account_id(number))
        self._file.close()

    def enough(self) -> None:
        """Nothing more is begun."""
        self._enough = True

    async def _transfer(self, number: int) -> None:
        plan = programs.planned(number)
        name = programs.transfer_id(number)
        if plan.kind == "update":
            await self._told(
                "pay",
                plan.source,
                number,
                lambda: self._client.get_workflow_handle(plan.source).execute_update(
                    "pay", args=[name, plan.target, plan.amount], id=name, rpc_timeout=CALL_LIMIT
                ),
                once=True,
            )
        else:
            await self._start("Transfer", name, number)
            await self._told(
                "transfer", name, number, self._client.get_workflow_handle(name).result
            )
        self.done += 1
        self._open.release()

    async def _fill_sheets(self) -> None:
        """One sheet after the other: appends by update and by signal, several at once, and reads."""
        while not self._enough:
            sheet = programs.sheet_id(next(self._sheets))
            await self._start("Sheet", sheet, [])
            length = 0
            while length < SHEET_LENGTH and not self._enough:
                together = self._random.randint(1, 3)
                await asyncio.gather(
                    *(self._append(sheet) for _ in range(together)), self._read(sheet)
                )
                length += together
            await self._read(sheet)
            await self._end(sheet)

    async def _flood_sheets(self) -> None:
        """Now and then a sheet is sent so much at once that others overtake most of it."""
        floods, due = itertools.count(), time.monotonic()
        while not self._enough:
            if time.monotonic() < due:
                await asyncio.sleep(0.1)
                continue
            sheet = programs.flooded_id(next(floods))
            await self._start("Sheet", sheet, [])
            await asyncio.gather(*(self._append(sheet, updates=0.0) for _ in range(FLOOD)))
            await self._read(sheet)
            await self._end(sheet)
            due = time.monotonic() + FLOOD_EVERY_S * self._random.uniform(0.2, 1.8)

    async def _append(self, sheet: str, *, updates: float = 0.7) -> None:
        """By an update in that share of the calls, else by a signal."""
        handle, number = self._client.get_workflow_handle(sheet), next(self._values)
        if self._random.random() < updates:
            await self._told(
                "append",
                sheet,
                number,
                lambda: handle.execute_update(
                    "append", number, id=f"append-{number}", rpc_timeout=CALL_LIMIT
                ),
                once=True,
            )
        else:
            await self._told(
                "add",
                sheet,
                number,
                lambda: handle.signal("add", number, rpc_timeout=CALL_LIMIT),
                once=True,
            )

    async def _read(self, sheet: str) -> None:
        handle = self._client.get_workflow_handle(sheet)
        await self._told(
            "read", sheet, 0, lambda: handle.query("read", rpc_timeout=CALL_LIMIT), once=True
        )

    async def _start(self, kind: str, name: str, arg: Any) -> None:
        async def start() -> None:
            # By an earlier try that was not answered; it may even have ended since.
            with contextlib.suppress(WorkflowAlreadyStartedError):
                await self._client.start_workflow(
                    kind,
                    arg,
                    id=name,
                    task_queue=QUEUE,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    rpc_timeout=CALL_LIMIT,
                )

        await self._told("start", name, 0, start)

    async def _end(self, name: str) -> None:
        handle = self._client.get_workflow_handle(name)

        async def close() -> None:
            try:
                await handle.signal("close", rpc_timeout=CALL_LIMIT)
            except RPCError as error:
                # By an earlier try that was not answered.
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise

        await self._told("close", name, 0, close)
        await self._told("end", name, 0, handle.result)

    async def _told(
        self,
        what: str,
        name: str,
        number: int,
        call: Callable[[], Awaitable[Any]],
        *,
        once: bool = False,
    ) -> Any:
        """What the call came to; without an answer it is made again, unless it is to be made once."""
        begun_ns = time.monotonic_ns()
        while True:
            try:
                answer = await call()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise
                if not once:
                    await asyncio.sleep(0.2)
                    continue
                told = Told(what, name, number, begun_ns, time.monotonic_ns(), False, str(error))
            except WorkflowUpdateFailedError as error:
                told = Told(
                    what, name, number, begun_ns, time.monotonic_ns(), False, repr(error.cause)
                )
            else:
                told = Told(what, name, number, begun_ns, time.monotonic_ns(), True, answer)
            self._file.write(line_of(told))
            return told.answer


async def serve(options: argparse.Namespace) -> None:
    log = wiring.open_log(options.kafka, config={"client.id": "driver"})
    async with Client(LogTransport(log, options.namespace)) as client:
        driver = Driver(client, options.out, seed=options.seed)

        async def report() -> None:
            while True:
                await asyncio.sleep(0.5)
                sys.stdout.write(f"{driver.ordered} {driver.done}\n")
                sys.stdout.flush()

        reporting = asyncio.ensure_future(report())
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, driver.enough)
        await driver.run(options.rate)
        reporting.cancel()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kafka", required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--rate", type=float, required=True, help="transfers a second")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
