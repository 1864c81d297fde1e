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
from streamflow.common import (
    RawValue,
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDReusePolicy,
)
from streamflow.converter import decode_search_attributes
from streamflow.exceptions import (
    ApplicationError,
    ChildWorkflowError,
    TerminatedError,
    is_cancelled_exception,
)
from streamflow.schedules.facts import (
    BUFFER_MAX,
    RECENT_MAX,
    SCHEDULE_TYPE,
    UPCOMING_MAX,
    ActionResult,
    Backfill,
    Described,
    Info,
    Memory,
    Overlap,
    Patch,
    Running,
    Schedule,
    Waiting,
)
from streamflow.schedules.times import EPOCH, next_due, next_times

SCHEDULED_BY: Final = SearchAttributeKey.for_keyword("TemporalScheduledById")
SCHEDULED_AT: Final = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
TERMINATE: Final = "streamflow.Schedule.terminate"
"""The activity that ends an action for TERMINATE_OTHER; the host of schedules runs it."""
HISTORY_MAX: Final = 40_000
"""Events at which a new run begins though actions are running, whose ends then go unnoticed."""
BACKFILL_MAX: Final = 10_000
"""Actions of one backfill."""


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
        self.changed = False

    @workflow.run
    async def run(self, text: str) -> None:
        now_ms = self._now_ms()
        if self.memory.info is None:
            self.info.created_ms = self.info.seen_ms = now_ms
            if self.memory.trigger is not None:
                self._act(Waiting(nominal_ms=now_ms, scheduled_ms=now_ms, manual=True), None)
            for backfill in self.memory.backfills:
                self._backfill(backfill)
        while True:
            self.changed = False
            for patch in self.patches:
                self._patch(patch)
            self.patches.clear()
            wake_ms = self._act_on_what_is_due()
            self._start_buffered()
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
            schedule = _patched(schedule, patch)
        upcoming: list[int] = []
        state = schedule.state
        if not (state.limited_actions and not state.remaining_actions):
            after_ms = max(now_ms, self.info.created_ms)
            for due in next_times(schedule.spec, after_ms, _zone(schedule), self.memory.id):
                upcoming.append(due.at_ms)
                if len(upcoming) == UPCOMING_MAX:
                    break
        found = Described(schedule=schedule, info=self.info, upcoming_ms=tuple(upcoming))
        return msgspec.json.encode(found).decode()

    def _patch(self, patch: Patch) -> None:
        now_ms = self._now_ms()
        before = self.schedule
        self.schedule = _patched(before, patch)
        if patch.schedule is not None:
            self.info.updated_ms = self.info.seen_ms = now_ms
        if before.state.paused and not self.schedule.state.paused:
            # What came while it was paused is over.
            self.info.seen_ms = max(self.info.seen_ms, now_ms)
        if patch.search_attributes is not None:
            self._replace_search_attributes(patch)
        if patch.trigger:
            waiting = Waiting(nominal_ms=now_ms, scheduled_ms=now_ms, manual=True)
            self._act(waiting, patch.overlap)
        for backfill in patch.backfills:
            self._backfill(backfill)

    @staticmethod
    def _replace_search_attributes(patch: Patch) -> None:
        wanted = decode_search_attributes(patch.search_attributes or {})
        kept = {pair.key.name for pair in wanted}
        gone = [
            pair.key.value_unset()
            for pair in workflow.info().typed_search_attributes
            if pair.key.name not in kept
        ]
        workflow.upsert_search_attributes(
            [*gone, *(pair.key.value_set(pair.value) for pair in wanted)]
        )

    # -- acting -------------------------------------------------------------------------------------------------

    def _act_on_what_is_due(self) -> int | None:
        """Deals with all times up to now; returns when the next one is."""
        now_ms = self._now_ms()
        state = self.schedule.state
        if state.paused or (state.limited_actions and not state.remaining_actions):
            self.info.seen_ms = max(self.info.seen_ms, now_ms)
            return None
        zone = _zone(self.schedule)
        while True:
            due = next_due(self.schedule.spec, self.info.seen_ms, zone, self.memory.id)
            if due is None:
                return None
            if due.at_ms > now_ms:
                return due.at_ms
            self.info.seen_ms = due.nominal_ms
            if now_ms - due.at_ms > self.schedule.policy.catchup_window_ms:
                self.info.missed_catchup_window += 1
            else:
                self._act(Waiting(nominal_ms=due.nominal_ms, scheduled_ms=due.at_ms), None)
                state = self.schedule.state
                if state.limited_actions and not state.remaining_actions:
                    return None

    def _backfill(self, backfill: Backfill) -> None:
        zone = _zone(self.schedule)
        times = next_times(self.schedule.spec, backfill.start_at_ms - 1, zone, self.memory.id)
        for count, due in enumerate(times):
            if due.nominal_ms > backfill.end_at_ms or count == BACKFILL_MAX:
                return
            waiting = Waiting(nominal_ms=due.nominal_ms, scheduled_ms=due.nominal_ms, manual=True)
            self._act(waiting, backfill.overlap)

    def _act(self, waiting: Waiting, overlap: Overlap | None) -> None:
        policy = overlap or self.schedule.policy.overlap
        busy = self.starting or self.handles or self.info.buffer
        if policy is Overlap.ALLOW_ALL or not busy:
            self._begin(waiting)
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
        if self.info.buffer and not self.handles and not self.starting:
            self._begin(self.info.buffer.pop(0))

    def _begin(self, waiting: Waiting) -> None:
        state = self.schedule.state
        if not waiting.manual and state.limited_actions:
            left = max(0, state.remaining_actions - 1)
            self.schedule = msgspec.structs.replace(
                self.schedule, state=msgspec.structs.replace(state, remaining_actions=left)
            )
        self.info.num_actions += 1
        self.starting += 1
        asyncio.ensure_future(self._start_and_watch(waiting))  # noqa: RUF006  # the loop keeps it

    async def _start_and_watch(self, waiting: Waiting) -> None:
        """One action, from its start to its end."""
        workflow_id = self._workflow_id(waiting)
        try:
            handle = await self._start(workflow_id, waiting)
        except ChildWorkflowError as error:
            self._failed(workflow_id, error)
            return
        except Exception as error:
            workflow.logger.warning("Scheduled workflow %s was not started: %s", workflow_id, error)
            return
        finally:
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
            await handle
        except ChildWorkflowError as error:
            self._failed(workflow_id, error)
        except asyncio.CancelledError:
            pass  # ours alone: the policy cancelled it
        finally:
            self.handles.pop(workflow_id, None)
            self.info.running = [one for one in self.info.running if one.workflow_id != workflow_id]
            self.changed = True

    def _failed(self, workflow_id: str, error: ChildWorkflowError) -> None:
        if not self.schedule.policy.pause_on_failure or is_cancelled_exception(error):
            return
        if isinstance(error.cause, TerminatedError):
            return
        note = f"paused due to workflow failure: {workflow_id}: {error.cause or error}"
        paused = msgspec.structs.replace(self.schedule.state, paused=True, note=note)
        self.schedule = msgspec.structs.replace(self.schedule, state=paused)

    async def _start(
        self, workflow_id: str, waiting: Waiting
    ) -> workflow.ChildWorkflowHandle[Any, Any]:
        action = self.schedule.action
        policy = action.retry_policy
        return await workflow.start_child_workflow(
            action.workflow,
            args=[RawValue(payload) for payload in action.args],
            id=workflow_id,
            task_queue=action.queue,
            parent_close_policy=workflow.ParentClosePolicy.ABANDON,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            execution_timeout=_duration(action.execution_timeout_ms),
            run_timeout=_duration(action.run_timeout_ms),
            task_timeout=_duration(action.task_timeout_ms),
            retry_policy=None if policy is None else RetryPolicy._from_model(policy),
            memo={name: RawValue(payload) for name, payload in action.memo.items()},
            search_attributes=self._search_attributes(waiting),
            static_summary=action.static_summary or None,
            static_details=action.static_details or None,
        )

    def _search_attributes(self, waiting: Waiting) -> TypedSearchAttributes:
        own = decode_search_attributes(self.schedule.action.search_attributes)
        nominal = EPOCH + timedelta(milliseconds=waiting.nominal_ms)
        return own.updated(
            SearchAttributePair(SCHEDULED_BY, self.memory.id),
            SearchAttributePair(SCHEDULED_AT, nominal),
        )

    def _workflow_id(self, waiting: Waiting) -> str:
        """The action's ID with its time, and more of it where two are in one second."""
        nominal = EPOCH + timedelta(milliseconds=waiting.nominal_ms)
        found = f"{self.schedule.action.id}-{nominal:%Y-%m-%dT%H:%M:%S}Z"
        taken = {one.workflow_id for one in self.info.recent} | self.handles.keys()
        return f"{found}-{self.info.num_actions}" if found in taken else found

    # -- waiting ------------------------------------------------------------------------------------------------

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


def _patched(schedule: Schedule, patch: Patch) -> Schedule:
    found = patch.schedule or schedule
    state = found.state
    if patch.paused is not None:
        state = msgspec.structs.replace(state, paused=patch.paused)
    if patch.note is not None:
        state = msgspec.structs.replace(state, note=patch.note)
    return msgspec.structs.replace(found, state=state)


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


def _duration(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)
