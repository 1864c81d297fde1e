"""One run's code, alive: given an activation it runs until nothing is ready, and says what it wants.

    inputs -> signal handlers' tasks, then what a full step left,
           then start, timers, resolutions, cancellation (recorded order)
           -> run the loop, check conditions, until both rest, or so much is asked for that the next step goes on
           -> intents in the order in which they were asked for; the run's end last

Owned by one thread. After any exception from `activate` the instance is unusable: `evict` it and replay another.
It logs nothing: what deserves a line goes to ``notify``.
"""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from streamflow.converter import DataConverter
from streamflow.coroutine import creation, eviction, guard, stacks
from streamflow.coroutine.conditions import Conditions
from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.coroutine.ending import End, Judge
from streamflow.coroutine.errors import (
    CodeFailed,
    ContinueAsNewError,
    NondeterminismError,
    ReadOnlyContextError,
    RestrictedWorkflowAccessError,
)
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.flags import ASKED_MAX, Flag, refuse_unknown
from streamflow.coroutine.interception import Intercept, Interception
from streamflow.coroutine.loop import TimerHandle, WorkflowLoop
from streamflow.coroutine.machines.timer import TimerMachine
from streamflow.coroutine.messages import Messages
from streamflow.coroutine.notices import Notice, NoticeKind, ignore
from streamflow.coroutine.operations import Operations
from streamflow.coroutine.patches import Patches
from streamflow.coroutine.properties import Properties
from streamflow.coroutine.randomness import Randomness
from streamflow.coroutine.source import shortly
from streamflow.coroutine.traits import NO_TRAITS, Traits
from streamflow.coroutine.unfinished import warnings_of
from streamflow.coroutine.updates import Updates
from streamflow.coroutine.values import Values
from streamflow.model.events import (
    CancelRequested,
    Input,
    SignalReceived,
    UpdateAccepted,
    WorkflowStarted,
)
from streamflow.model.intents import Activation, CompleteRun, Intent
from streamflow.model.payload import NO_HEADERS, Payload, Payloads

SUGGEST_CONTINUE_AT = 10_000
"""Events after which `continue_as_new` is suggested to the code."""

# Plain numbers: each `&` with a Flag would make a Flag, some microseconds a step.
_TAKE_TURNS = int(Flag.OUTCOMES_TAKE_TURNS)
_IN_PARTS = int(Flag.ASKS_IN_PARTS)
_MARKS_AT_ONCE = int(Flag.MARKS_AT_ONCE)

_alive: set[Instance] = set()


def alive_count() -> int:
    """Instances of this process that hold coroutines: begun and not evicted."""
    return len(_alive)


class Instance:
    """One run's code. See the module for what a step does."""

    def __init__(
        self,
        definition: WorkflowDefinition,
        facts: RunFacts,
        converter: DataConverter = DataConverter.default,
        *,
        failure_exception_types: tuple[type[BaseException], ...] = (),
        guarded: bool = True,
        notify: Callable[[Notice], None] = ignore,
        intercept: Intercept | None = None,
        traits: Traits = NO_TRAITS,
    ) -> None:
        """``guarded=False`` (debug mode) lets steps touch clocks and I/O; ``failure_exception_types`` are the worker's."""
        guarded = guarded and definition.guarding.on
        if guarded:
            guard.install()
        self.definition = definition
        self.facts = facts
        self.values = Values(converter).of_workflow(facts)
        self.loop = WorkflowLoop(self, guarded=guarded)  # type: ignore[abstract]  # the rest is refused by name
        self.loop.guarding = definition.guarding
        self.operations = Operations(self.refuse_changes)
        self.conditions = Conditions(self.loop)
        self.randomness = Randomness()
        self.traits = traits
        self.patches = Patches(self.operations)
        self.versioning = definition.versioning_behavior
        """Whether the run stays on its worker version."""
        self.messages = Messages(self)
        self.updates = Updates(self)
        self.workflow: Any = None
        """The object of the workflow's class; ``None`` before the first activation."""
        self.activation: Activation | None = None
        """The latest one."""
        self.now_ms = facts.start_ms
        self.replaying = False
        self.goes_on = False
        """Whether the latest step ended before the code had come to rest (`Flag.ASKS_IN_PARTS`)."""
        self.read_only = False
        self.cancel_requested = False
        self.cancel_reason: str | None = None
        self.details = ""
        """What the code says of its state, in Markdown (`workflow.set_current_details`)."""
        self.memory: dict[str, Any] = {}
        """What `streamflow.workflow` keeps for this run, by its own names."""
        self._judge = Judge(
            self.values,
            (*failure_exception_types, *definition.worker_failure_types),
            definition.failure_exception_types,
        )
        self._notify = notify
        self._intercept = intercept
        self.interception: Interception | None = None
        """What stands between inputs and code; ``None`` is nothing."""
        self.context = contextvars.Context()
        """What each task begins with: the processor's own context variables are not the code's to see."""
        self._messages_begun = 0
        """How many messages' tasks are the first to run in this step."""
        self._main: asyncio.Task[None] | None = None
        self._end: End | None = None
        self._fault: BaseException | None = None

    @cached_property
    def properties(self) -> Properties:
        """The run's memo and search attributes; made when first asked for, as most code never asks."""
        return Properties(self.facts.started, self.values)

    # -- what the processor calls ----------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether the code has ended; queries are still answered."""
        return self._end is not None

    def activate(self, activation: Activation) -> list[Intent]:
        """Runs one step.

        Raises:
            CodeFailed: the code raised what is no failure; the run is stuck, not failed.
            NondeterminismError: an input does not fit what the code has begun.
            StepLimitExceeded: a watchdog interrupted it.
        """
        assert self._end is None, (self.facts.run_id, "activated after its end")
        self._begin_step(activation)
        with guard.step(self.loop):
            try:
                self._apply(activation)
                self._run()
            except RestrictedWorkflowAccessError as error:
                raise CodeFailed(error) from error
            except (NondeterminismError, CodeFailed, KeyboardInterrupt):
                raise
            except (Exception, SystemExit) as error:
                raise CodeFailed(error) from error
        intents = self._collect()
        self.replaying = False
        return intents

    def places(self) -> list[str]:
        """Where in the code each intent of the latest step was asked for; empty for what nobody asked for."""
        return [shortly(place) for place in self.operations.places]

    def query(
        self, name: str, args: Payloads = (), headers: Mapping[str, Payload] = NO_HEADERS
    ) -> Payload:
        """The answer of a query handler, which may read the run's state and nothing else.

        Raises:
            QueryNotFound: there is no such handler.
            Exception: whatever the handler or the decoding of its arguments raised.
        """
        return self.messages.query(name, args, headers)

    def stack_trace(self) -> str:
        """Where each of the run's tasks waits."""
        return stacks.describe(self.loop.unfinished())

    def evict(self) -> bool:
        """Ends everything the code has running. False if some of it had to be parked for good."""
        _alive.discard(self)
        self.replaying = True  # what the code does now is no news
        clean = eviction.evict(self.loop)
        self.operations.drop()
        # Everything here refers to the instance and it to everything: without this only the collector would free it,
        # some hundred objects a run.
        self.__dict__.clear()
        return clean

    # -- one step --------------------------------------------------------------------------------------------------

    def _begin_step(self, activation: Activation) -> None:
        unknown = refuse_unknown(activation.flags)
        if unknown is not None:
            raise NondeterminismError(unknown)
        _alive.add(self)
        self.activation = activation
        self.now_ms = activation.now_ms
        self.replaying = activation.replaying
        self.loop.outcomes_take_turns = activation.flags & _TAKE_TURNS != 0
        in_parts = activation.flags & _IN_PARTS
        self.operations.asked_max = ASKED_MAX if in_parts else sys.maxsize
        self.operations.marks_at_once = activation.flags & _MARKS_AT_ONCE != 0
        self.patches.begin_step(activation)

    def _apply(self, activation: Activation) -> None:
        """Signals first, so that their handlers begin before run does; then the rest as recorded."""
        self.randomness.begin_step(activation.seed)
        others: list[Input] = []
        for recorded in activation.inputs:
            event = recorded.event
            if type(event) is WorkflowStarted and not self._create(event):
                return
            if type(event) is not SignalReceived and type(event) is not UpdateAccepted:
                others.append(event)  # type: ignore[arg-type]  # the engine gives inputs only
        self._messages_begun = 0
        if len(others) < len(activation.inputs):
            left = self.loop.put_off() if self.goes_on else []
            self._begin_messages(activation)
            self._messages_begun = self.loop.go_on_with(left)
        for event in others:
            match event:
                case WorkflowStarted():
                    self._main = self.loop.create_task(
                        self._run_main(event), context=self.context.copy()
                    )
                case CancelRequested():
                    self._request_cancel(event)
                case SignalReceived() | UpdateAccepted():
                    pass
                case _:
                    self.operations.resolve(event)

    def _begin_messages(self, activation: Activation) -> None:
        self.updates.verdicts.clear()
        for recorded in activation.inputs:
            event = recorded.event
            if type(event) is SignalReceived:
                self.messages.signal(event)
            elif type(event) is UpdateAccepted:
                unchecked = event.update_id in activation.unchecked
                self.updates.begin(event, unchecked=unchecked)

    def _run(self) -> None:
        """Runs what is ready and checks conditions until neither has anything left, or the step is full.

        Messages begin in any case: whether an update is accepted is said with its step.
        """
        at_least = self._messages_begun
        while True:
            self.loop.run_ready(self.operations.full, at_least=at_least)
            at_least = 0
            if isinstance(self._fault, NondeterminismError):
                raise self._fault
            if self._fault is not None:
                raise CodeFailed(self._fault) from self._fault
            self.goes_on = self.operations.full()
            if self.goes_on or not self.conditions:
                return
            self.read_only = True
            try:
                woken = self.conditions.check()
            finally:
                self.read_only = False
            if not woken:
                return

    def _collect(self) -> list[Intent]:
        intents = self.operations.collect()
        completed = self.updates.take_completed()
        if completed:  # also those that completed after the run did, in the same step
            intents += completed
            self.operations.places += [None] * len(completed)
        if self._end is not None:
            intents.append(self._end)
            self.operations.places.append(None)
            unfinished = self.messages.at_work.to_warn_of()
            if unfinished:
                for warning in warnings_of(unfinished):
                    self.notice(NoticeKind.UNFINISHED_HANDLERS, str(warning), warning)
            if not self.loop.unfinished():
                _alive.discard(self)
        return intents

    # -- the run method --------------------------------------------------------------------------------------------

    def _create(self, started: WorkflowStarted) -> bool:
        """Makes the workflow object. False if that already ended the run."""
        try:
            creation.create(self, started, self._intercept)
        except Exception as error:
            self.ended_by(error)
            if self._fault is not None:
                raise CodeFailed(error) from error
            return False
        failure_types = creation.configure(self)
        if failure_types is not None:
            self._judge.replace(failure_types)
        self.messages.bind(self.workflow)
        self.updates.handlers.bind(self.workflow)
        return True

    async def _run_main(self, started: WorkflowStarted) -> None:
        try:
            arguments = creation.start_arguments(self, started)
            run = self.definition.run_fn
            if self.interception is None:
                result = await run(self.workflow, *arguments)
            else:
                result = await self.interception.execute(run, arguments, started.headers)
            self._ended(CompleteRun(result=self.values.encode_one(result)))
        except (Exception, asyncio.CancelledError, ContinueAsNewError) as error:
            self.ended_by(error)

    def ended_by(self, error: BaseException) -> None:
        """An exception left the run method or a handler."""
        if self.loop.evicting:
            return
        if isinstance(error, ContinueAsNewError):
            self._ended(error.intent)
            return
        end = self._judge.end_of(error, cancel_requested=self.cancel_requested)
        if end is not None:
            self._ended(end)
        elif self._end is None:
            self.fault(error)

    def fault(self, error: BaseException) -> None:
        """The step fails with this, the first of its faults; the run is stuck, not failed."""
        if self._fault is None:
            self._fault = error

    def _ended(self, end: End) -> None:
        """The first end counts; what is asked for after it is dropped."""
        if self._end is None:
            self._end = end
            self.operations.closed = True

    def _request_cancel(self, event: CancelRequested) -> None:
        """Cancels the run method once, behind what is already queued: code that has not begun begins first."""
        self.cancel_reason = event.reason
        if not self.cancel_requested and self._main is not None:
            self.loop.call_soon(self._main.cancel)
        self.cancel_requested = self.operations.run_cancelled = True

    # -- what code begins ------------------------------------------------------------------------------------------

    def refuse_changes(self, attempted: str = "change the run") -> None:
        """Raises when the code may not begin anything: it is being taken down, or only asked."""
        if self.loop.evicting:
            self.loop.refuse()
            return
        if self.read_only:
            raise ReadOnlyContextError(
                f"While in read-only function, action attempted: {attempted}. Expected code that only reads while in a "
                "read-only function (a query handler, a validator or a waiting condition); do that from the run method, a "
                "signal or an update handler"
            )

    def begin_timer(self, handle: TimerHandle, delay_s: float, summary: str) -> TimerMachine:
        return TimerMachine(self.operations, self.loop, handle, delay_s=delay_s, summary=summary)

    def is_failure(self, exception: BaseException) -> bool:
        """Whether this exception would fail the run."""
        return self._judge.is_failure(exception)

    @property
    def history_length(self) -> int:
        return self.activation.history_length if self.activation is not None else 0

    @property
    def continue_suggested(self) -> bool:
        return self.history_length >= SUGGEST_CONTINUE_AT

    # -- notices ---------------------------------------------------------------------------------------------------

    def loop_notice(self, message: str, exception: BaseException | None) -> None:
        self.notice(NoticeKind.UNHANDLED_ERROR, message, exception)

    def notice(self, kind: NoticeKind, text: str, exception: BaseException | None = None) -> None:
        if not self.replaying:
            self._notify(Notice(kind, self.facts.workflow_id, self.facts.run_id, text, exception))
