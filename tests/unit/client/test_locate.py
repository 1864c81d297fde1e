"""Finding a workflow's queue by somebody who may not ask everybody."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from streamflow.client.log.locate import find_queue
from streamflow.model.answers import Answer, Located, Reason, Rejection
from streamflow.model.commands import Command
from streamflow.model.ids import RunId
from streamflow.model.options import Status
from streamflow.model.queues import QueueEntry
from streamflow.service import RPCError, RPCStatusCode

pytestmark = pytest.mark.asyncio


class TwoQueues:
    """`orders` may be asked, but not who serves it; of `bills` nothing may be known at all."""

    namespace = "n"

    def __init__(self, *, knows: bool) -> None:
        self._knows = knows

    async def queues(self) -> Mapping[str, QueueEntry]:
        return {
            name: QueueEntry(name=name, kind="workflow", partitions=1, topics={})
            for name in ("bills", "orders")
        }

    async def live_members(self, queue: str) -> frozenset[str]:
        raise RPCError(f"Grant this client Describe on group {queue}", RPCStatusCode.UNAVAILABLE)

    async def ask(self, queue: str, command: Command, *, deadline_s: float | None) -> Answer:
        if queue == "bills":
            raise RPCError("Grant this client Write", RPCStatusCode.PERMISSION_DENIED)
        if self._knows:
            return Located(queue=queue, run_id=RunId("r"), status=Status.RUNNING)
        return Rejection(reason=Reason.NOT_FOUND, message="no such workflow")


async def test_a_queue_that_says_yes_is_enough() -> None:
    assert await find_queue(TwoQueues(knows=True), "w", None, deadline_s=1) == "orders"


async def test_a_queue_that_may_not_be_asked_is_not_taken_for_a_no() -> None:
    with pytest.raises(RPCError, match="bills that this client may ask") as raised:
        await find_queue(TwoQueues(knows=False), "w", None, deadline_s=1)

    assert raised.value.status is RPCStatusCode.UNAVAILABLE
