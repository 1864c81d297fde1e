"""Lets a run's code run: on its waiting inputs, or for a query. What the code does wrong becomes the run's trouble.

A failed activation records its inputs but no `Activated`: they wait in order, and the retry consumes them.
"""

from __future__ import annotations

import contextlib
from itertools import accumulate
from time import perf_counter

import msgspec

from streamflow.coroutine import flags
from streamflow.coroutine.errors import (
    CodeFailed,
    NondeterminismError,
    QueryNotFound,
    StepLimitExceeded,
)
from streamflow.coroutine.facts import RunFacts
from streamflow.coroutine.instance import Instance
from streamflow.coroutine.replay import replay
from streamflow.engine.activation import activation_of, ready
from streamflow.engine.decide.intents import decide_intents, refuse_intents
from streamflow.engine.decide.length import outgrown
from streamflow.engine.sizes import beginning
from streamflow.model.answers import Answer, QueryAnswer, Reason, Rejection
from streamflow.model.commands import QueryWorkflow
from streamflow.observability import get_logger
from streamflow.ports import LogError, StoreCorrupted, StoreUnwritable
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.host.versions import PinnedElsewhere, with_pin, with_version
from streamflow.processor.host.watchdog import suspect_of
from streamflow.processor.payloads.codec import CodecFailed
from streamflow.processor.state.draft import evict, history
from streamflow.processor.state.rows import Rows
from streamflow.processor.steps import updates
from streamflow.processor.steps.addressing import NotGrantedThere, look_up
from streamflow.processor.steps.code import Unregistered, code_of
from streamflow.processor.steps.recorder import Recorder
from streamflow.processor.steps.trouble import ending, fail_run, failure_for, said, stuck

log = get_logger("processor")


def activate(
    recorder: Recorder, around: Surroundings, rows: Rows, *, to_rest: bool = False
) -> None:
    """Runs the code as long as inputs wait that it may see.

    What has asked for so much that its next step goes on with it waits for that until the batch's others had their turn,
    unless it is to come ``to_rest``.
    """
    limits = around.options.limits
    draft = recorder.draft
    while ready(recorder.run, recorder.context_ms(), messages=bool(draft.updates)):
        before = recorder.run.last_seq
        end = outgrown(recorder.run, limits)
        if end is not None:
            recorder.take((end,), recorder.context())
            return
        try:
            _activate_with_updates(recorder, around, rows)
        except (
            CodeFailed,
            CodecFailed,
            NondeterminismError,
            NotGrantedThere,
            PinnedElsewhere,
            StepLimitExceeded,
            Unregistered,
        ) as error:
            failure = ending(recorder, around, error)
            if failure is None:
                stuck(recorder, around, error)
            else:
                fail_run(recorder, failure)
            return
        if before < limits.events_warn <= recorder.run.last_seq:
            log.warning(
                "history_long",
                workflow_id=recorder.run.workflow_id,
                run_id=recorder.run.run_id,
                events=recorder.run.last_seq,
                events_max=limits.events_max,
            )
        if recorder.run.goes_on and not to_rest:
            return


def query(recorder: Recorder, command: QueryWorkflow, around: Surroundings, rows: Rows) -> Answer:
    """The query's answer from the run's present state, open or closed. Nothing is recorded."""
    run_id, suspect = recorder.run.run_id, suspect_of(recorder.run.workflow_id)
    if around.condemns(suspect):
        message = "Expected a run whose code yields, found that it ended the process again and again: fix its code"
        return Rejection(reason=Reason.QUARANTINED, message=message, run_id=run_id)
    try:
        with _watched(around, run_id, suspect):
            instance = _instance(recorder, around, rows)
            args = around.gate.payloads_in(instance, command.args)
            headers = around.gate.headers_in(instance, command.headers)
            result = instance.query(command.query_name, args, headers)
        return QueryAnswer(result=around.gate.payload_out(instance, result))
    except (PinnedElsewhere, Unregistered, QueryNotFound) as error:
        return Rejection(reason=Reason.QUERY_FAILED, message=str(error), run_id=run_id)
    except StepLimitExceeded as error:
        evict(recorder.draft)
        return Rejection(reason=Reason.QUERY_FAILED, message=str(error), run_id=run_id)
    except (LogError, StoreCorrupted, StoreUnwritable):
        raise
    except (
        Exception
    ) as error:  # the handler's own failure, or that of replaying up to it: the caller's answer
        cause = error.exception if isinstance(error, CodeFailed | CodecFailed) else error
        if isinstance(error, CodeFailed | CodecFailed | NondeterminismError):
            evict(recorder.draft)
        failure = failure_for(cause, around, recorder.run)
        return Rejection(
            reason=Reason.QUERY_FAILED,
            message=beginning(said(cause, failure, around)),
            run_id=run_id,
            failure=failure,
        )


def _activate_with_updates(recorder: Recorder, around: Surroundings, rows: Rows) -> None:
    """A step that fails with updates in it is tried without them: they are not accepted yet, and may be at fault."""
    try:
        _activate_once(recorder, around, rows, with_updates=True)
    except (CodeFailed, StepLimitExceeded):
        left = recorder.run.waiting or recorder.run.goes_on
        if not updates.put_off(recorder.draft) or not left:
            raise
        evict(recorder.draft)
        _activate_once(recorder, around, rows, with_updates=False)


def _activate_once(
    recorder: Recorder, around: Surroundings, rows: Rows, *, with_updates: bool
) -> None:
    run, draft = recorder.run, recorder.draft
    suspect = suspect_of(run.workflow_id)
    if around.condemns(suspect):
        raise CodeFailed(SystemError("Its steps ended the process, again and again"))
    with _watched(around, run.run_id, suspect):
        instance = _instance(recorder, around, rows)
        context = recorder.context()
        activation = activation_of(
            run, context, flags=flags.CURRENT, history_bytes=draft.history_bytes
        )
        if with_updates and draft.updates:
            activation = updates.join(activation, draft, instance, around.gate)
            if not (activation.inputs or run.goes_on):  # all were refused, and nothing else waited
                recorder.set_trouble(None)
                return
        activation = with_version(activation, run, around.options.version, around.options.build_id)
        began_s = perf_counter()
        intents = instance.activate(around.gate.activation(instance, activation))
        intents = around.gate.outbound(instance, intents)
        took_s = perf_counter() - began_s
    around.counters.activations += 1
    if around.stepped is not None:
        around.stepped(run.start.workflow_type, took_s)
    look_up(run, intents, around)
    refusal = refuse_intents(run, intents, context)
    if refusal is not None:
        raise CodeFailed(RuntimeError(refusal.message))
    around.suspects.absolve(suspect)
    places = instance.places()
    if with_updates and draft.updates:
        recorder.take(updates.judge(activation, draft, instance, around.gate), context)
        activation = msgspec.structs.replace(activation, inputs=tuple(run.waiting))
    activation = with_pin(activation, run, instance.versioning)
    goes_on = instance.goes_on
    recorder.take(
        decide_intents(run, activation, intents, context, places, goes_on=goes_on), context
    )
    recorder.set_trouble(None)


def _instance(recorder: Recorder, around: Surroundings, rows: Rows) -> Instance:
    """The live coroutine, replayed from history (and from what this batch recorded) if it is not in memory."""
    draft = recorder.draft
    if draft.instance is not None:
        return draft.instance
    run = recorder.run
    definition = code_of(run, around)
    facts = RunFacts(
        namespace=around.options.namespace,
        queue=around.options.queue,
        workflow_id=run.workflow_id,
        run_id=run.run_id,
        started=around.gate.started(
            around.options.namespace, run.workflow_id, run.run_id, run.start
        ),
        start_ms=run.started_ms,
    )
    instance = Instance(
        definition,
        facts,
        around.converter,
        failure_exception_types=around.failure_types,
        guarded=not around.options.debug,
        notify=around.notify,
        intercept=around.intercept,
        traits=around.traits,
    )
    if run.step:
        around.counters.replays += 1
        stored = draft.loaded or [*history(rows, run.run_id)]
        events = [*(recorded for recorded, _ in stored), *recorder.recorded]
        sizes = [*(size for _, size in stored), *recorder.recorded_bytes]
        try:
            replay(
                instance,
                around.gate.history(instance, events),
                history_bytes=[0, *accumulate(sizes)],
            )
        except BaseException:
            instance.evict()
            raise
    draft.instance = instance
    return instance


def _watched(
    around: Surroundings, run_id: str, suspect: str
) -> contextlib.AbstractContextManager[None]:
    return around.watchdog.watch(run_id, suspect) if around.watchdog else contextlib.nullcontext()
