"""What clients do to workflows, as the plan has it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

from streamflow import topology
from streamflow.client import ActivityOptionsKeys, ActivityOptionsUpdate
from streamflow.client.errors import (
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from streamflow.common import WorkflowIDReusePolicy
from streamflow.config import DEFAULT_NAMESPACE
from streamflow.exceptions import WorkflowAlreadyStartedError
from streamflow.ports import OutRecord
from streamflow.service import RPCError
from tests.simulation.plan import Message, Workflow
from tests.simulation.processes import QUEUE, ClientProcess
from tests.simulation.programs import SIDE_QUEUE
from tests.simulation.scene import Call, World

_KEYS = ActivityOptionsKeys
_CHANGES: dict[str, list[ActivityOptionsUpdate[Any]]] = {
    "elsewhere": [_KEYS.task_queue.value_set(SIDE_QUEUE)],
    "sooner": [
        _KEYS.retry_initial_interval.value_set(timedelta(milliseconds=20)),
        _KEYS.heartbeat_timeout.value_unset(),
    ],
    "back": [],
}


async def deliver(world: World, workflow: Workflow, message: Message) -> None:
    """Within its client's process, which may die meanwhile: then nobody is ever told."""
    client = world.clients[message.client]
    if client.dead:
        return
    call = Call(workflow, message, message.value, world.now_ms)
    world.calls.append(call)
    task = asyncio.get_running_loop().create_task(
        _ask(world, client, call), context=client.log.context()
    )
    world.tasks.add(task)


async def _ask(world: World, client: ClientProcess, call: Call) -> None:
    try:
        call.answer = await _asked(client, call)
    except (
        RPCError,
        WorkflowAlreadyStartedError,
        WorkflowFailureError,
        WorkflowQueryFailedError,
        WorkflowUpdateFailedError,
    ) as error:
        call.error = error
    call.answered_ms = world.now_ms


async def _asked(process: ClientProcess, call: Call) -> Any:
    workflow = call.workflow
    client = process.client
    handle = client.get_workflow_handle(workflow.id, task_queue=QUEUE)
    match call.message.kind:
        case "start" if workflow.executes:
            return await client.execute_workflow(workflow.type, **_start_options(workflow))
        case "start":
            started = await client.start_workflow(workflow.type, **_start_options(workflow))
            return started.result_run_id
        case "outsider":
            _publish_start(process, workflow, call.value)
            return None
        case "signal":
            return await handle.signal("note", call.value)
        case "update":
            patience = timedelta(minutes=10)
            return await handle.execute_update(
                "change", call.value, id=call.value, rpc_timeout=patience
            )
        case "query":
            return await handle.query("notes")
        case "describe":
            return (await handle.describe()).status
        case "history":
            return await handle.fetch_history()
        case "options":
            change, back = _CHANGES[call.value], call.value == "back"
            return await handle.update_activity_options(
                updates=change, activity_type="work", restore_original=back
            )
        case "cancel":
            return await handle.cancel()
        case "end":
            return await handle.terminate(reason="planned")


def _start_options(workflow: Workflow) -> Any:
    options: dict[str, Any] = {
        "args": [workflow.steps, [], []],
        "id": workflow.id,
        "task_queue": QUEUE,
        "id_reuse_policy": WorkflowIDReusePolicy.REJECT_DUPLICATE,
    }
    if workflow.with_signal:
        options |= {"start_signal": "note", "start_signal_args": [workflow.with_signal]}
    if workflow.delay_ms:
        options["start_delay"] = timedelta(milliseconds=workflow.delay_ms)
    return options


def _publish_start(process: ClientProcess, workflow: Workflow, copy: str) -> None:
    """As a program that knows nothing of streamflow does; copies have one message ID, and may lie on a wrong partition."""
    topic = topology.inbox_topic(DEFAULT_NAMESPACE, QUEUE)
    count = process.log.broker.topics()[topic].partitions
    partition = topology.partition_for(workflow.id, count) if copy != "1" else 0
    body = {"type": "start", "workflow": workflow.type, "args": [workflow.steps, [], []]}
    headers = (("sf-message-id", f"out-{workflow.id}".encode()),)
    record = OutRecord(topic, partition, workflow.id.encode(), json.dumps(body).encode(), headers)
    process.log.producer().send(record)
