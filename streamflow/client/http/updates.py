"""Updates over a gateway: a long poll that is made again, under the same message ID, until there is an outcome."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Protocol

from streamflow.client.errors import RPCTimeoutOrCancelledError
from streamflow.client.http import api_v1
from streamflow.client.http.api_v1_updates import UpdateBody
from streamflow.client.http.words import quoted
from streamflow.model.answers import Answer, Rejection, UpdateOutcome
from streamflow.model.commands import AwaitUpdate, UpdateStage, UpdateWithStart, UpdateWorkflow


class Get(Protocol):
    async def __call__(
        self,
        path: str,
        params: Mapping[str, str],
        cls: type[UpdateOutcome],
        deadline_s: float | None,
    ) -> UpdateOutcome | Rejection: ...


class Post(Protocol):
    async def __call__(
        self,
        path: str,
        params: Mapping[str, str],
        body: object,
        cls: type[UpdateOutcome],
        deadline_s: float | None,
        message_id: str,
    ) -> UpdateOutcome | Rejection: ...


async def ask(
    command: UpdateWorkflow | UpdateWithStart | AwaitUpdate,
    *,
    at: str,
    queue: str,
    deadline_s: float | None,
    message_id: str,
    get: Get,
    post: Post,
) -> Answer:
    """The answer; ``at`` is the workflow's path. A deadline of ``None`` is for ever.

    Raises:
        RPCTimeoutOrCancelledError: the update has not come so far in time.
    """
    until = None if deadline_s is None else time.monotonic() + deadline_s
    params = {"queue": queue} if queue else {}
    while True:
        left = None if until is None else until - time.monotonic()
        poll_s = api_v1.POLL_S if left is None else max(0, min(api_v1.POLL_S, left))
        waits = params | {"wait_ms": str(int(poll_s * 1000))}
        try:
            if isinstance(command, AwaitUpdate):
                if command.run_id:
                    waits["run_id"] = command.run_id
                path = f"{at}/updates/{quoted(command.update_id)}"
                answer = await get(path, waits, UpdateOutcome, left)
            else:
                body = UpdateBody.of(queue, command)
                answer = await post(f"{at}/update", waits, body, UpdateOutcome, left, message_id)
        except RPCTimeoutOrCancelledError:
            # The gateway's patience ended; this caller's may not have.
            if until is not None and time.monotonic() >= until:
                raise
            continue
        if isinstance(answer, Rejection) or answer.completed or _wants_no_more(command):
            return answer
        if until is not None and time.monotonic() >= until:
            raise RPCTimeoutOrCancelledError(
                f"Expected an update of workflow {command.workflow_id!r} to complete in time, found it under way"
            )


def _wants_no_more(command: UpdateWorkflow | UpdateWithStart | AwaitUpdate) -> bool:
    match command:
        case UpdateWorkflow(wait_for=UpdateStage.ACCEPTED) | UpdateWithStart():
            return True
        case _:
            return False
