"""What a replay of updates has in common with the steps that it repeats, and what it refuses."""

from __future__ import annotations

import pytest

from streamflow import workflow
from streamflow.client import WorkflowUpdateFailedError
from streamflow.coroutine.definition import definition_of
from streamflow.coroutine.errors import NondeterminismError
from streamflow.coroutine.replay import replay
from streamflow.exceptions import ApplicationError
from streamflow.model.events import UpdateAccepted
from tests.unit.coroutine.world import World
from tests.unit.updates.stage import QUEUE, replayed, worker


@workflow.defn
class Remembers:
    """Notes what it saw of its surroundings at each update."""

    def __init__(self) -> None:
        self.seen: list[list[object]] = []
        self.seeds: list[int] = []
        self.woken = 0

    @workflow.run
    async def run(self) -> None:
        workflow.register_random_seed_callback(self.seeds.append)
        while True:
            self.before = workflow.now()
            await workflow.wait_condition(lambda: workflow.now() > self.before)
            self.woken += 1

    @workflow.update
    def note(self, refuse: bool) -> list[object]:
        info = workflow.info()
        self.seen.append(
            [
                info.get_current_history_length(),
                info.get_current_history_size(),
                str(workflow.uuid4()),
                workflow.now().isoformat(),
            ]
        )
        return self.seen[-1]

    @note.validator
    def _check(self, refuse: bool) -> None:
        if refuse:
            raise ApplicationError("as asked")

    @workflow.query
    def all(self) -> list[object]:
        return [self.seen, self.seeds, self.woken]


@pytest.mark.asyncio
async def test_a_replay_sees_what_the_step_saw_and_nothing_of_refused_updates() -> None:
    """Lengths and sizes of the history, time, chance; no condition is woken by what was refused."""
    async with worker([Remembers]) as client:
        handle = await client.start_workflow(Remembers.run, id="w", task_queue=QUEUE)
        told = [await handle.execute_update(Remembers.note, False)]
        for _ in range(3):
            with pytest.raises(WorkflowUpdateFailedError):
                await handle.execute_update(Remembers.note, True)
        told.append(await handle.execute_update(Remembers.note, False))
        live = await handle.query(Remembers.all)
        assert live[0] == told

        again = await replayed(handle, Remembers)

    code: Remembers = again.workflow
    assert [code.seen, code.seeds, code.woken] == live
    again.evict()


def test_an_accepted_update_whose_handler_is_gone_is_nondeterminism() -> None:
    """The message says which, and what to do."""

    @workflow.defn(name="Remembers")
    class Forgets:
        @workflow.run
        async def run(self) -> None:
            await workflow.wait_condition(lambda: False)

    world = World(Remembers)
    world.step()
    world.pass_ms(5).record(UpdateAccepted(update_id="u", name="note"))
    world.definition = definition_of(Forgets)
    world.instance = world.fresh()

    replay(world.instance, world.history[:-1])
    with pytest.raises(NondeterminismError, match="Expected a handler of update 'note'"):
        world.step()
