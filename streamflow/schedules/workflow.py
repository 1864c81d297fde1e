"""The workflow that is a schedule: waits for the next time, acts, and answers questions about itself.

    due, triggered or backfilled --overlap policy--> started | buffered | skipped
    started: a child workflow that outlives this one; its end makes room for what is buffered

Everything that it must remember is in `facts.Memory`, which a new run is given when the history has grown long.
"""

from __future__ import annotations

import asyncio
import zoneinfo
from contextlib import suppress
from datetime import UTC, timedelta, tzinfo
from typing import Any, Final

import msgspec

from streamflow import workflow
from streamflow.common import SearchAttributeKey
from streamflow.converter import decode_search_attributes
from streamflow.exceptions import ApplicationError, ChildWorkflowError
from streamflow.exceptions import TimeoutError as WorkflowTimeoutError
from streamflow.schedules.carrying import is_failure, leave_failure, leave_result
from streamflow.schedules.facts import (
    BUFFER_MAX,
    CATCHUP_MIN_MS,
    OWN_ATTRIBUTES,
    PAUSED_NAME,
    RECENT_MAX,
    SCHEDULE_TYPE,
    ActionResult,
    Backfill,
    Info,
    Memory,
    Overlap,
    Patch,
    Running,
    Schedule,
    Waiting,
)
from streamflow.schedules.seeing import described, patched
from streamflow.schedules.starting import start_action
from streamflow.schedules.times import EPOCH, next_due, next_times

PAUSED: Final = SearchAttributeKey.for_bool(PAUSED_NAME)
TERMINATE: Final = "streamflow.Schedule.terminate"
"""The activity that ends an action for TERMINATE_OTHER; the host of schedules runs it."""
HISTORY_MAX: Final = 40_000
"""Events at which a new run begins though actions are running, whose ends then go unnoticed."""
BACKFILL_MAX: Final = 10_000
"""Actions of one backfill, in runs that began before `_SECOND`."""
BACKFILLED_PER_STEP_MAX: Final = 100
_SECOND: Final = "schedules-2"
"""The patch of runs that know: backfills bit by bit, buffered actions that a pause or a limit takes away, the least window to
catch up, jittered times across an update, and whether they are paused as a search attribute."""
DUE_PER_STEP_MAX: Final = 1_000
_BIT_BY_BIT: Final = "schedules-due-bit-by-bit"
"""The patch of runs that deal with this many times in a step. After days without a processor, a schedule of every second has
hundreds of thousands of them."""


@workflow.defn(name=SCHEDULE_TYPE)
class ScheduleWorkflow:
    """One schedule."""

    @workflow.init
    def __init__(self, text: str) -> None:
        self.memory = msgspec.json.decode(text, type=Memory)
        self.schedule: Schedule = self.memory.schedule
        self.info = self.memory.info or Info()
        self.patches: list[Patch] = []
        self.handles: dict[str, workflow.ChildWorkflowHandle[Any, Any]] = {}
        self.starting = 0
        self.names: set[str] = set()
        self.changed = False
        self.second = False

    @workflow.run
    async def run(self, text: str) -> None:
        self.second = workflow.patched(_SECOND)
        now_ms = self._now_ms()
        if self.memory.info is None:
            self.info.created_ms = self.info.seen_ms = now_ms
            if self.memory.trigger is not None:
                self._act(_made_up(now_ms), None)
            for backfill in self.memory.backfills:
                self._backfill(backfill)
        while True:
            self.changed = False
            for patch in self.patches:
                self._patch(patch)
            self.patches.clear()
            wake_ms = self._act_on_what_is_due()
            if self._act_on_backfills():
                wake_ms = self._now_ms() + 1
            self._start_buffered()
            self._show_whether_paused()
            if self._should_begin_anew():
                workflow.continue_as_new(self._memory())
            await self._wait(wake_ms)

    # -- messages -----------------------------------------------------------------------------------------------

    @workflow.signal
    def patch(self, text: str) -> None:
        self.patches.append(msgspec.json.decode(text, type=Patch))
        self.changed = True

    @workflow.query
    def describe(self, now_ms: int) -> str:
        schedule = self.schedule
        for patch in self.patches:
            schedule = patched(schedule, patch)
        found = described(schedule, self.info, now_ms, _zone(schedule), self.memory.id)
        found = msgspec.structs.replace(found, starting=self.starting)
        return msgspec.json.encode(found).decode()

    def _patch(self, patch: Patch) -> None:
        now_ms = self._now_ms()
        before = self.schedule
        self.schedule = patched(before, patch)
        if patch.schedule is not None:
            self.info.updated_ms = now_ms
            jitter_ms = self.schedule.spec.jitter_ms if self.second else -1
            self.info.seen_ms = max(self.info.seen_ms, now_ms - jitter_ms - 1)
        if before.state.paused and not self.schedule.state.paused:
            # What came while it was paused is over.
            self.info.seen_ms = max(self.info.seen_ms, now_ms)
        if patch.search_attributes is not None:
            self._replace_search_attributes(patch)
        if patch.trigger:
            self._act(_made_up(now_ms), patch.overlap)
        for backfill in patch.backfills:
            self._backfill(backfill)

    @staticmethod
    def _replace_search_attributes(patch: Patch) -> None:
        wanted = decode_search_attributes(patch.search_attributes or {})
        kept = {pair.key.name for pair in wanted}
        gone = [
            pair.key.value_unset()
            for pair in workflow.info().typed_search_attributes
            if pair.key.name not in kept | OWN_ATTRIBUTES
        ]
        workflow.upsert_search_attributes(
            [*gone, *(pair.key.value_set(pair.value) for pair in wanted)]
        )

    # -- acting -------------------------------------------------------------------------------------------------

    def _act_on_what_is_due(self) -> int | None:
        """Deals with the times up to now, or the first of them; returns when to go on."""
        now_ms = self._now_ms()
        state = self.schedule.state
        if state.paused or (state.limited_actions and not state.remaining_actions):
            self.info.seen_ms = max(self.info.seen_ms, now_ms)
            return None
        zone = _zone(self.schedule)
        seen = 0
        while seen < DUE_PER_STEP_MAX or not workflow.patched(_BIT_BY_BIT):
            seen += 1
            due = next_due(self.schedule.spec, self.info.seen_ms, zone, self.memory.id)
            if due is None:
                return None
            if due.at_ms > now_ms:
                return due.at_ms
            self.info.seen_ms = due.nominal_ms
            if self.second and due.at_ms < self.info.updated_ms:
                continue  # it was over before the schedule became what it is
            if now_ms - due.at_ms > self._catchup_ms():
                self.info.missed_catchup_window += 1
            else:
                self._act(Waiting(nominal_ms=due.nominal_ms, scheduled_ms=due.at_ms), None)
                state = self.schedule.state
                if state.limited_actions and not state.remaining_actions:
                    return None
        return now_ms + 1

    def _catchup_ms(self) -> int:
        window_ms = self.schedule.policy.catchup_window_ms
        return max(window_ms, CATCHUP_MIN_MS) if self.second else window_ms

    def _act_on_backfills(self) -> bool:
        """Deals with some of the times that are to be made up for; whether more of them could be at once."""
        zone = _zone(self.schedule)
        for _ in range(BACKFILLED_PER_STEP_MAX):
            if not self.info.backfills or len(self.info.buffer) >= BUFFER_MAX // 2:
                return False
            first = self.info.backfills[0]
            due = next_due(self.schedule.spec, first.start_at_ms - 1, zone, self.memory.id)
            if due is None or due.nominal_ms > first.end_at_ms:
                self.info.backfills.pop(0)
                continue
            self.info.backfills[0] = msgspec.structs.replace(first, start_at_ms=due.nominal_ms + 1)
            self._act(_made_up(due.nominal_ms, once=True), first.overlap)
        return True

    def _backfill(self, backfill: Backfill) -> None:
        if self.second:
            self.info.backfills.append(backfill)
            return
        zone = _zone(self.schedule)
        times = next_times(self.schedule.spec, backfill.start_at_ms - 1, zone, self.memory.id)
        for count, due in enumerate(times):
            if due.nominal_ms > backfill.end_at_ms or count == BACKFILL_MAX:
                return
            self._act(_made_up(due.nominal_ms), backfill.overlap)

    def _act(self, waiting: Waiting, overlap: Overlap | None) -> None:
        policy = overlap or self.schedule.policy.overlap
        busy = self.starting or self.handles or self.info.buffer
        if policy is Overlap.ALLOW_ALL or not busy:
            self._begin(waiting, in_turn=policy is not Overlap.ALLOW_ALL)
            return
        match policy:
            case Overlap.SKIP:
                self.info.skipped_overlap += 1
            case Overlap.BUFFER_ONE if self.info.buffer:
                self.info.skipped_overlap += 1
            case Overlap.BUFFER_ONE | Overlap.BUFFER_ALL:
                self._buffer(waiting)
            case Overlap.CANCEL_OTHER | Overlap.TERMINATE_OTHER:
                self.info.buffer.clear()
                self._buffer(waiting)
                for handle in self.handles.values():
                    if policy is Overlap.CANCEL_OTHER:
                        handle.cancel()
                    else:
                        asyncio.ensure_future(_terminate(handle.id))  # noqa: RUF006
            case _:
                raise AssertionError(f"Expected an overlap policy, found {policy!r}")

    def _buffer(self, waiting: Waiting) -> None:
        if len(self.info.buffer) >= BUFFER_MAX:
            self.info.buffer_dropped += 1
            return
        self.info.buffer.append(waiting)

    def _start_buffered(self) -> None:
        while self.info.buffer and not self.handles and not self.starting:
            waiting = self.info.buffer.pop(0)
            if not self.second or waiting.manual or self._may_act():
                self._begin(waiting, in_turn=True)

    def _may_act(self) -> bool:
        state = self.schedule.state
        return not state.paused and (not state.limited_actions or state.remaining_actions > 0)

    def _begin(self, waiting: Waiting, *, in_turn: bool) -> None:
        """``in_turn``: after the one before and before the next, so that each can hand something on."""
        state = self.schedule.state
        if not waiting.manual and state.limited_actions:
            left = max(0, state.remaining_actions - 1)
            self.schedule = msgspec.structs.replace(
                self.schedule, state=msgspec.structs.replace(state, remaining_actions=left)
            )
        self.info.num_actions += 1
        self.starting += 1
        asyncio.ensure_future(self._start_and_watch(waiting, in_turn=in_turn))  # noqa: RUF006  # the loop keeps it

    async def _start_and_watch(self, waiting: Waiting, *, in_turn: bool) -> None:
        """One action, from its start to its end."""
        workflow_id = self._workflow_id(waiting)
        action = self.schedule.action
        self.names.add(workflow_id)
        try:
            handle = await start_action(self.memory.id, action, workflow_id, waiting, self.info)
        except ChildWorkflowError as error:
            self.info.num_actions -= self.second
            self._pause_on_failure(workflow_id, error)
            return
        except Exception as error:
            self.info.num_actions -= self.second
            if not waiting.once:
                workflow.logger.warning(
                    "Scheduled workflow %s was not started: %s", workflow_id, error
                )
            return
        finally:
            self.names.discard(workflow_id)
            self.starting -= 1
            self.changed = True
        run_id = handle.first_execution_run_id or ""
        result = ActionResult(
            scheduled_ms=waiting.scheduled_ms,
            started_ms=self._now_ms(),
            workflow_id=workflow_id,
            run_id=run_id,
        )
        self.info.recent = [*self.info.recent, result][-RECENT_MAX:]
        self.info.running.append(Running(workflow_id=workflow_id, run_id=run_id))
        self.handles[workflow_id] = handle
        try:
            completed = await handle
            if in_turn and completed is not None:
                leave_result(self.info, action, completed)
        except ChildWorkflowError as error:
            self._pause_on_failure(workflow_id, error)
            if in_turn:
                leave_failure(self.info, error)
        except asyncio.CancelledError:
            pass  # ours alone: the policy cancelled it
        finally:
            self.handles.pop(workflow_id, None)
            self.info.running = [one for one in self.info.running if one.workflow_id != workflow_id]
            self.changed = True

    def _pause_on_failure(self, workflow_id: str, error: ChildWorkflowError) -> None:
        if not self.schedule.policy.pause_on_failure or not is_failure(error):
            return
        note = f"paused due to workflow failure: {workflow_id}: {error.cause or error}"
        if isinstance(error.cause, WorkflowTimeoutError):
            note = f"paused due to workflow timeout: {workflow_id}"
        paused = msgspec.structs.replace(self.schedule.state, paused=True, note=note)
        self.schedule = msgspec.structs.replace(self.schedule, state=paused)

    def _workflow_id(self, waiting: Waiting) -> str:
        """The action's ID with its time, and more of it where two are in one second."""
        nominal = EPOCH + timedelta(milliseconds=waiting.nominal_ms)
        found = f"{self.schedule.action.id}-{nominal:%Y-%m-%dT%H:%M:%S}Z"
        taken = {one.workflow_id for one in self.info.recent} | self.handles.keys()
        if not self.second:
            return f"{found}-{self.info.num_actions}" if found in taken else found
        if waiting.once:
            return found
        free, number = found, 1
        while free in taken | self.names:
            number += 1
            free = f"{found}-{number}"
        return free

    # -- waiting ------------------------------------------------------------------------------------------------

    def _show_whether_paused(self) -> None:
        paused = self.schedule.state.paused
        if self.second and workflow.info().typed_search_attributes.get(PAUSED) is not paused:
            workflow.upsert_search_attributes([PAUSED.value_set(paused)])

    async def _wait(self, wake_ms: int | None) -> None:
        timeout = None if wake_ms is None else max(0, wake_ms - self._now_ms()) / 1000
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self.changed, timeout=timeout, timeout_summary="next action"
            )

    def _should_begin_anew(self) -> bool:
        info = workflow.info()
        idle = not self.starting and not self.handles
        if info.is_continue_as_new_suggested():
            return idle or info.get_current_history_length() > HISTORY_MAX
        return False

    def _memory(self) -> str:
        self.info.running.clear()
        memory = Memory(id=self.memory.id, schedule=self.schedule, info=self.info)
        return msgspec.json.encode(memory).decode()

    @staticmethod
    def _now_ms() -> int:
        return (workflow.now() - EPOCH) // timedelta(milliseconds=1)


def _made_up(nominal_ms: int, *, once: bool = False) -> Waiting:
    """An action that somebody asked for, whatever state the schedule is in."""
    return Waiting(nominal_ms=nominal_ms, scheduled_ms=nominal_ms, manual=True, once=once)


async def _terminate(workflow_id: str) -> None:
    try:
        await workflow.execute_activity(
            TERMINATE,
            workflow_id,
            start_to_close_timeout=timedelta(seconds=30),
            schedule_to_close_timeout=timedelta(minutes=10),
        )
    except Exception as error:
        workflow.logger.warning("Workflow %s was not terminated: %s", workflow_id, error)


def _zone(schedule: Schedule) -> tzinfo:
    name = schedule.spec.time_zone
    if not name:
        return UTC
    # The zone's rules are read from a file, once a process; they are the same wherever this runs with the same data.
    with workflow.unsafe.sandbox_unrestricted():
        try:
            return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
            raise ApplicationError(f"Expected a time zone, found {name!r}") from error
