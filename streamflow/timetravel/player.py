"""Makes steps of one history again, and keeps what is likely to be asked for next.

A step is reached by replaying a fresh instance up to it, or by letting one that stands before it go on. States of steps that
were come through are kept for a while: going back is common, and coroutines cannot.
Belongs to one thread, as instances do.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.coroutine.errors import CodeFailed, NondeterminismError, StepLimitExceeded
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.flags import CURRENT
from streamflow.coroutine.inspection import raised_at
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.replay import intent_text, replay_step
from streamflow.coroutine.source import Place, shortly
from streamflow.model.events import Activated
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.intents import Activation, Intent
from streamflow.processor.payloads.codec import PayloadGate
from streamflow.timetravel.code import CodeAtHand
from streamflow.timetravel.limits import LIMITS, Deadline, Limits, interrupted_after
from streamflow.timetravel.log import Log
from streamflow.timetravel.state import State, Trouble, View, frames_shown, state_of, with_changes
from streamflow.timetravel.values import Reading, type_name
from streamflow.worker.running.interception import workflow_intercept

MESSAGE_CHARS_MAX = 4_000


class Unfinished(TimeoutError):
    """A step was not reached in time. Asked again, the replay goes on where it stopped."""

    def __init__(self, number: int, reached: int, seconds: float) -> None:
        super().__init__(
            f"Expected to reach step {number} within {seconds:g} s, found step {reached} reached. Ask again: it goes on from there"
        )
        self.reached = reached


@dataclass
class _Playing:
    """An instance, and the number of steps that it has made."""

    instance: Instance
    at: int


class Player:
    """One run's steps, by today's code."""

    def __init__(self, log: Log, code: CodeAtHand, *, limits: Limits = LIMITS) -> None:
        """Raises `NoCode` when there is no code of its type, ValueError when the history has no beginning."""
        self.log = log
        self._code = code
        self._definition: WorkflowDefinition = code.definition_of(log.started.workflow_type)
        self._limits = limits
        self._playing: list[_Playing] = []
        """The one used last comes last."""
        self._states: OrderedDict[int, State] = OrderedDict()
        self._trouble: Trouble | None = None
        self._state_of_trouble: State | None = None

    @property
    def steps(self) -> int:
        """Steps that the history has, as far as it was read."""
        return len(self.log.steps)

    def view(self, number: int) -> View:
        """The step, with what it changed.

        Raises:
            Unfinished: it would take longer than the limits allow.
            CodecFailed: payloads cannot be decoded now.
        """
        assert 1 <= number <= self.steps, (number, self.steps)
        with self._making() as (gate, deadline):
            self._reach(number, gate, deadline)
            if self._trouble is not None and self._trouble.step == number > 1:
                self._reach(number - 1, gate, deadline)  # what it is compared with
        return self._viewed(number)

    def attempt(self) -> View:
        """The step that the history does not have yet: what today's code makes of the inputs that wait for it.

        The time that it sees is that of the last event, and its seed is none that will be recorded. Raises as `view` does.
        """
        number = self.steps + 1
        with self._making() as (gate, deadline):
            if self.steps:
                self._reach(self.steps, gate, deadline)
            if self._trouble is not None:
                return View(number, None, self._trouble)
            return self._attempted(number, gate, deadline)

    @contextmanager
    def _making(self) -> Generator[tuple[PayloadGate, Deadline]]:
        limits = self._limits
        gate = PayloadGate(self._code.converter)
        try:
            with interrupted_after(limits.seconds + limits.step_seconds):
                yield gate, Deadline(limits.seconds)
        finally:
            gate.close()

    def close(self) -> None:
        """Takes the coroutines down."""
        for playing in self._playing:
            playing.instance.evict()
        self._playing.clear()

    # -- what was found --------------------------------------------------------------------------------------------

    def _viewed(self, number: int) -> View:
        trouble = self._trouble
        if trouble is not None and number >= trouble.step:
            state = self._state_of_trouble if number == trouble.step else None
            before = self._states.get(number - 1)
            return View(number, with_changes(before, state) if state else None, trouble)
        state = self._states[number]
        before = self._states.get(number - 1)
        return View(number, with_changes(before, state), None)

    def _is_known(self, number: int) -> bool:
        """Whether the step can be shown, with its changes, without replaying anything."""
        if self._trouble is not None and number >= self._trouble.step:
            return True
        return number in self._states and (number == 1 or number - 1 in self._states)

    # -- replaying -------------------------------------------------------------------------------------------------

    def _reach(self, number: int, gate: PayloadGate, deadline: Deadline) -> None:
        for one in (number - 1, number):
            if one in self._states:
                self._states.move_to_end(one)  # so that it is not forgotten meanwhile
        if self._is_known(number):
            return
        # One step earlier as well, unless its state is here: that is what the step is compared with.
        before = number if number - 1 in self._states else number - 1
        playing = self._nearest(before - 1, gate)
        while playing.at < number:
            if not self._step(playing, gate, keep_from=number - self._limits.window):
                return
            if deadline.is_over and playing.at < number:
                raise Unfinished(number, playing.at, self._limits.seconds)

    def _nearest(self, at_most: int, gate: PayloadGate) -> _Playing:
        """The instance that has come furthest, but not further than this; a new one if there is none."""
        suited = [playing for playing in self._playing if playing.at <= max(0, at_most)]
        if suited:
            found = max(suited, key=lambda playing: playing.at)
            self._playing.remove(found)
        else:
            found = _Playing(self._fresh(gate), 0)
        self._playing.append(found)
        while len(self._playing) > self._limits.players_kept:
            self._playing.pop(0).instance.evict()
        return found

    def _fresh(self, gate: PayloadGate) -> Instance:
        log, code = self.log, self._code
        started = gate.started(code.namespace, log.workflow_id, log.run_id, log.started)
        facts = RunFacts(
            namespace=code.namespace,
            queue=started.queue,
            workflow_id=WorkflowId(log.workflow_id),
            run_id=RunId(log.run_id),
            started=started,
            start_ms=log.events[0].time_ms,
        )
        return Instance(
            self._definition,
            facts,
            code.converter,
            guarded=code.guarded,
            intercept=workflow_intercept(code.interceptors),
        )

    def _step(self, playing: _Playing, gate: PayloadGate, *, keep_from: int) -> bool:
        """One step. False if the code did not come through it."""
        number, instance = playing.at + 1, playing.instance
        step = self.log.steps[playing.at]
        try:
            inputs = tuple(gate.history(instance, [*step.inputs]))
            replay_step(
                instance,
                step._replace(inputs=inputs),
                history_bytes=self.log.bytes_before(step.first_position),
            )
            if number >= keep_from - 1:
                self._keep(number, state_of(instance, loaded_s=self._code.loaded_s))
        except (CodeFailed, NondeterminismError) as error:
            self._gave_up(playing, self._trouble_of(error, instance, number))
            return False
        except StepLimitExceeded as error:
            self._gave_up(playing, Trouble(number, "limit", str(error)))
            return False
        except BaseException:
            self._drop(playing)
            raise
        playing.at = number
        return True

    def _attempted(self, number: int, gate: PayloadGate, deadline: Deadline) -> View:
        playing = self._nearest(number - 1, gate)
        while playing.at < number - 1:
            if not self._step(playing, gate, keep_from=number):
                return View(number, None, self._trouble)
            if deadline.is_over:
                raise Unfinished(number, playing.at, self._limits.seconds)
        instance = playing.instance
        state: State | None = None
        trouble: Trouble | None = None
        asked: tuple[str, ...] = ()
        try:
            intents = instance.activate(gate.activation(instance, self._activation()))
            asked = asked_for(intents, instance.operations.places)
        except (CodeFailed, NondeterminismError) as error:
            trouble = self._trouble_of(error, instance, number)
        except StepLimitExceeded as error:
            trouble = Trouble(number, "limit", str(error))
        finally:
            if trouble is None or trouble.kind != "limit":
                state = state_of(instance, loaded_s=self._code.loaded_s)
            self._drop(playing)  # it stands where no history does
        before = self._states.get(number - 1)
        return View(number, with_changes(before, state) if state else None, trouble, asked)

    def _activation(self) -> Activation:
        log = self.log
        last = log.steps[-1].activated.event if log.steps else None
        flags = last.flags if isinstance(last, Activated) else CURRENT
        return Activation(
            inputs=tuple(log.waiting()),
            now_ms=log.events[-1].time_ms,
            seed=0,
            flags=flags,
            history_length=len(log.events),
            history_bytes=log.bytes_before(len(log.events)),
        )

    def _keep(self, number: int, state: State) -> None:
        self._states[number] = state
        self._states.move_to_end(number)
        while len(self._states) > self._limits.states_kept:
            self._states.popitem(last=False)

    # -- when it does not come through -----------------------------------------------------------------------------

    def _trouble_of(
        self, error: CodeFailed | NondeterminismError, instance: Instance, number: int
    ) -> Trouble:
        if isinstance(error, CodeFailed):
            exception = error.exception
            if isinstance(exception, StepLimitExceeded):
                return Trouble(number, "limit", str(exception))
            frames = frames_shown(
                raised_at(exception.__traceback__), Reading(instance.workflow), self._code.loaded_s
            )
            return Trouble(number, "raised", _said(exception), raised_at=frames)
        sides = error.sides
        if sides is None:
            return Trouble(number, "nondeterminism", _said(error))
        found = asked_for(sides.found, sides.places)
        return Trouble(number, "nondeterminism", _said(error), sides.expected, found, sides.at)

    def _gave_up(self, playing: _Playing, trouble: Trouble) -> None:
        """The code goes no further than this, whoever asks: it stays as it is while the process lives."""
        self._trouble = trouble
        if trouble.kind != "limit":
            # It stands where it went instead, which is the other half of the answer.
            self._state_of_trouble = state_of(playing.instance, loaded_s=self._code.loaded_s)
        self._drop(playing)

    def _drop(self, playing: _Playing) -> None:
        self._playing.remove(playing)
        playing.instance.evict()


def asked_for(intents: Sequence[Intent], places: Sequence[Place | None]) -> tuple[str, ...]:
    """What code asks for, each with the place in it."""
    return tuple(
        intent_text(intent) + (f" at {shortly(place)}" if place else "")
        for intent, place in zip(intents, places, strict=False)
    )


def _said(error: BaseException) -> str:
    """What an exception says. Its class may be the user's, and say anything, nothing, or never end."""
    try:
        text = str.__getitem__(str(error), slice(MESSAGE_CHARS_MAX))
    except (Exception, StepLimitExceeded) as second:
        text = f"(its text cannot be had: {type_name(type(second))})"
    if not isinstance(error, NondeterminismError):
        text = f"{type_name(type(error))}: {text}"
    return text.encode("utf-8", "backslashreplace").decode()
