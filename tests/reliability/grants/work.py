"""What each role is there for, each under its own principal: a workflow from its start to its end, and what an administrator does."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from streamflow import activity, dead_letters, doctor, topology, workflow
from streamflow.audit import AuditTopic, Filter, newest
from streamflow.client import Client, WorkflowHandle
from streamflow.dead_letters.reading import Filter as LetterFilter
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.model.audit import AuditEntry
from streamflow.model.settings import SearchAttributeEntry
from streamflow.ports import Log, OutRecord
from streamflow.service import RPCError, RPCStatusCode
from streamflow.testing.kafka_security import ADMIN
from streamflow.topology.grants import Role
from streamflow.worker import Worker
from tests.reliability.grants.secured import NAMESPACE, QUEUE, Secured

LETTERS_WITHIN_S: Final = 30.0


@activity.defn(name="greet")
async def greet(name: str) -> str:
    return f"Hello {name}"


@workflow.defn(name="Echo")
class Echo:
    @workflow.run
    async def run(self, said: str) -> str:
        return said


@workflow.defn(name="Greeting")
class Greeting:
    """An activity, a signal, a query, a child: what each role is there for."""

    def __init__(self) -> None:
        self.may_end = False

    @workflow.run
    async def run(self, name: str) -> str:
        said: str = await workflow.execute_activity(
            greet, name, start_to_close_timeout=timedelta(seconds=6)
        )
        await workflow.wait_condition(lambda: self.may_end)
        return await workflow.execute_child_workflow(Echo.run, said)

    @workflow.signal
    def end(self) -> None:
        self.may_end = True

    @workflow.query
    def is_over(self) -> bool:
        return self.may_end


class Work:
    """On one secured broker. Every process of it has a new name and an empty disk."""

    def __init__(self, secured: Secured, folder: Path) -> None:
        self._secured = secured
        self._folder = folder
        self._names = itertools.count()

    async def of(self, role: Role, number: int, *, patience: timedelta) -> str:
        """The role's work, begun or gone on with; what came of it, of which all but the last line are complaints."""
        if role == "admin":
            return await asyncio.to_thread(self._administer, number)
        caller: Role = "gateway" if role == "gateway" else "client"
        return await self._serve(f"greeting-{number}", caller, patience)

    # -- processors, workers, and those who call them ------------------------------------------------------------------

    async def _serve(self, workflow_id: str, caller: Role, patience: timedelta) -> str:
        with self._secured.log(ADMIN) as log:
            _plant(log, workflow_id)
        async with await self._connect(caller) as client:
            unanswered = await self._ask_nobody(client, workflow_id)
            async with self._serving():
                with contextlib.suppress(WorkflowAlreadyStartedError):
                    await client.start_workflow(
                        *("Greeting", "you"),
                        id=workflow_id,
                        task_queue=QUEUE,
                        rpc_timeout=patience,
                    )
                handle = client.get_workflow_handle(workflow_id)
                await handle.query("is_over", rpc_timeout=patience)
                await _end(handle, patience)
                result: str = await handle.result(rpc_timeout=patience)
                if caller == "gateway":
                    query = f"WorkflowId = '{workflow_id}' AND Who IS NULL"
                    listed = [each.id async for each in client.list_workflows(query)]
                    assert set(listed) == {workflow_id}, listed
                    await self._note(workflow_id)
                with self._secured.log(ADMIN) as log:
                    await asyncio.to_thread(_expect_letters, log, workflow_id)
                if caller == "gateway":
                    await asyncio.to_thread(self._operate, workflow_id)
        return f"{unanswered}\n{result}"

    async def _note(self, workflow_id: str) -> None:
        """An entry for the audit log, which is found there."""
        entry = AuditEntry(who="user:ada", action="Start", outcome="done", workflow_id=workflow_id)
        with self._secured.log("gateway") as log:
            noting = AuditTopic(log, NAMESPACE)
            await noting.write(entry, wait=True)
            await noting.close()
            wanted = Filter(workflow_id=workflow_id)
            page = await asyncio.to_thread(newest, log, NAMESPACE, wanted, limit=1)
        assert [found.entry for found in page.entries] == [entry], page

    def _operate(self, workflow_id: str) -> None:
        """What operators do through it: they see who serves the queue, and send its dead letters once more."""
        with self._secured.log("gateway") as log:
            served = topology.shares(log, NAMESPACE, topology.read_queues(log, NAMESPACE)[QUEUE])
            assert all(share.member for share in served), served
            letters = [
                letter
                for letter in dead_letters.find_letters(log, NAMESPACE, LetterFilter())
                if letter.workflow_id == workflow_id
            ]
            dead_letters.redrive(log, NAMESPACE, letters)

    async def _ask_nobody(self, client: Client, workflow_id: str) -> str:
        """What a caller is told while no processor is there."""
        try:
            await client.get_workflow_handle(workflow_id).query(
                "is_over", rpc_timeout=timedelta(seconds=0.5)
            )
        except RPCError as error:
            return str(error)
        return ""

    async def _connect(self, role: Role) -> Client:
        return await Client.connect(
            self._secured.bootstrap, namespace=NAMESPACE, config=self._secured.config(role)
        )

    @contextlib.asynccontextmanager
    async def _serving(self) -> AsyncIterator[None]:
        name = next(self._names)
        async with AsyncExitStack() as stack:
            processor = await stack.enter_async_context(await self._connect("processor"))
            worker = await stack.enter_async_context(await self._connect("worker"))
            for each in (
                Worker(
                    processor,
                    task_queue=QUEUE,
                    name=f"processor-{name}",
                    workflows=[Greeting, Echo],
                    state_dir=self._folder / f"state-{name}",
                ),
                Worker(worker, task_queue=QUEUE, name=f"worker-{name}", activities=[greet]),
            ):
                stack.push_async_callback(_ended, each, asyncio.ensure_future(each.run()))
            yield

    # -- the administrator ---------------------------------------------------------------------------------------------

    def _administer(self, number: int) -> str:
        """`topology apply`, a changed setting, a declared attribute, `doctor`, `dlq redrive`, and a deletion."""
        queue = f"of-{number}-{next(self._names)}"
        with self._secured.log("admin") as log:
            entry = topology.ensure_queue(
                log, NAMESPACE, queue, kind="workflow", partitions=1, create=True
            )
            log.alter_topics({topology.inbox_topic(NAMESPACE, queue): {"retention.ms": "99000000"}})
            attribute = SearchAttributeEntry(name=f"Of{number}", kind="Keyword", declared_ms=1)
            topology.write_search_attributes(log, NAMESPACE, [attribute])
            findings = doctor.examine(log, NAMESPACE, [QUEUE], dev=True, state_dir=self._folder)
            with self._secured.log(ADMIN) as other:
                _plant(other, queue)
            letters = dead_letters.find_letters(log, NAMESPACE, LetterFilter())
            dead_letters.redrive(log, NAMESPACE, letters[:1])
            log.delete_topics(list(entry.topics))
        return "\n".join((*map(str, findings), "Hello you"))


async def _end(handle: WorkflowHandle[Any, Any], patience: timedelta) -> None:
    """It may have been told so before, without the caller knowing."""
    try:
        await handle.signal("end", rpc_timeout=patience)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise


async def _ended(worker: Worker, running: asyncio.Task[None]) -> None:
    """What it ended by is in the log."""
    with contextlib.suppress(Exception):
        await worker.shutdown()
    with contextlib.suppress(Exception):
        await running


def _unreadable(name: str) -> list[OutRecord]:
    inbox = topology.inbox_topic(NAMESPACE, QUEUE)
    activities = topology.activities_topic(NAMESPACE, QUEUE)
    keys = {inbox: name.encode(), activities: json.dumps([name, "1"]).encode()}
    return [OutRecord(topic, 0, key, b"no record of ours") for topic, key in keys.items()]


def _plant(log: Log, name: str) -> None:
    """An inbox record and a task that nobody can read."""
    producer = log.producer()
    for record in _unreadable(name):
        producer.send(record)
    producer.close()


def _expect_letters(log: Log, name: str) -> None:
    """Both are among the dead letters, as often as they were planted: none is lost."""
    topics = {record.topic for record in _unreadable(name)}
    deadline = time.monotonic() + LETTERS_WITHIN_S
    while True:
        letters = dead_letters.find_letters(log, NAMESPACE, LetterFilter(state=None))
        found = {letter.topic for letter in letters if letter.workflow_id == name}
        if found >= topics:
            return
        assert time.monotonic() < deadline, f"lost: expected letters from {topics}, found {found}"
        time.sleep(0.2)
