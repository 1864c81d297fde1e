"""Lets a run's code run: on its waiting inputs, or for a query. What the code does wrong becomes the run's trouble.

A failed activation records its inputs but no `Activated`: they wait in order, and the retry consumes them.
"""

from __future__ import annotations

import contextlib
import traceback
from itertools import accumulate
from time import perf_counter

import msgspec

from streamflow.converter.failure import failure_of
from streamflow.coroutine import flags
from streamflow.coroutine.definition import WorkflowDefinition
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
from streamflow.engine.decide.ending import fail
from streamflow.engine.decide.intents import decide_intents, refuse_intents
from streamflow.engine.decide.length import outgrown
from streamflow.engine.state import Run
from streamflow.exceptions import ApplicationError
from streamflow.model.answers import Answer, QueryAnswer, Reason, Rejection, Trouble
from streamflow.model.commands import QueryWorkflow
from streamflow.model.failure import NONDETERMINISM, Failure, FailureKind
from streamflow.observability import get_logger
from streamflow.ports import LogError, StoreCorrupted, StoreUnwritable
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.host.versions import PinnedElsewhere, code_for, with_pin, with_version
from streamflow.processor.host.watchdog import suspect_of
from streamflow.processor.payloads.codec import CodecFailed
from streamflow.processor.payloads.whose import Owner, owner_of_run
from streamflow.processor.state.draft import evict, history
from streamflow.processor.state.rows import Rows
from streamflow.processor.steps import updates
from streamflow.processor.steps.addressing import NotGrantedThere, look_up
from streamflow.processor.steps.recorder import Recorder
from streamflow.processor.steps.telling import tell_of_failed_step

log = get_logger("processor")
_UNCONVERTED = "Failed converting activation exception"

FIRST_RETRY_MS = 1_000
LOOPING_RETRY_MS = 30_000
"""A looping run costs its partition the whole step limit each time, so it is tried far less often."""


class Unregistered(Exception):
    """This processor has no code for the run's workflow type."""


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
            failure = _ending(recorder, around, error)
            if failure is None:
                _stuck(recorder, around, error)
            else:
                _fail(recorder, failure)
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
        failure = _failure(cause, around, recorder.run)
        return Rejection(
            reason=Reason.QUERY_FAILED,
            message=_said(cause, failure, around),
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
    definition = _definition(run, around)
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


def _definition(run: Run, around: Surroundings) -> WorkflowDefinition:
    workflow_type = run.start.workflow_type
    definitions = code_for(run, around.options.version, around.definitions, around.carried)
    definition = definitions.get(workflow_type) or definitions.get("")
    if definition is None:
        known = ", ".join(sorted(definitions)) or "none"
        raise Unregistered(
            f"Expected workflow type {workflow_type!r} to be registered on queue {around.options.queue!r}, "
            f"found: {known}. Deploy a processor that registers it; the run waits for that"
        )
    return definition


def _stuck(recorder: Recorder, around: Surroundings, error: BaseException) -> None:
    """The run waits, with what is wrong and when it is tried again; the partition goes on."""
    evict(recorder.draft)
    around.counters.stuck += 1
    before = recorder.run.trouble
    count = before.count + 1 if before else 1
    now_ms = recorder.context().now_ms
    kind, advice = _kind_and_advice(error)
    retry_ms = _retry_ms(kind, count, around.options.stuck_retry_ms_max)
    if around.condemns(suspect_of(recorder.run.workflow_id)):
        kind, retry_ms = "quarantined", 0
        around.counters.quarantined += 1
        advice = (
            "Its code never yields and ended the process. Fix it and deploy: changed code is tried again. Where the code "
            "was not at fault: streamflow workflow unpause."
        )
    cause = error.exception if isinstance(error, CodeFailed | CodecFailed) else error
    failure = _failure(cause, around, recorder.run)
    said = _said(cause, failure, around) if isinstance(error, CodeFailed) else str(cause)
    log.warning(
        "run_stuck",
        workflow_id=recorder.run.workflow_id,
        run_id=recorder.run.run_id,
        kind=kind,
        error=repr(cause),
        attempt=count,
    )
    tell_of_failed_step(recorder.run, around.options.namespace, around.options.queue, cause)
    recorder.set_trouble(
        Trouble(
            kind=kind,
            message=f"{type(cause).__name__}: {said}",
            advice=advice,
            failure=failure,
            count=count,
            since_ms=before.since_ms if before else now_ms,
            next_try_ms=now_ms + retry_ms if retry_ms else 0,
        )
    )


def _ending(recorder: Recorder, around: Surroundings, error: BaseException) -> Failure | None:
    """What the run fails with because of the error; ``None`` if it shall be tried again."""
    run = recorder.run
    if isinstance(error, NondeterminismError) and _fails_run(recorder, around):
        failure = Failure(kind=FailureKind.APPLICATION, message=str(error), type=NONDETERMINISM)
        return around.gate.failure_out(_owner(run, around), failure)
    cause = error.exception if isinstance(error, CodecFailed) else None
    if isinstance(cause, ApplicationError) and cause.non_retryable:
        # Of a codec or a store that knows that it can never have the payload.
        return _failure(cause, around, run)
    return None


def _fails_run(recorder: Recorder, around: Surroundings) -> bool:
    """Whether the worker, or the workflow's definition, counts nondeterminism among what fails a run."""
    definition = _definition(recorder.run, around)
    of_workflow = (*definition.failure_exception_types, *definition.worker_failure_types)
    return issubclass(NondeterminismError, (*around.failure_types, *of_workflow))


def _fail(recorder: Recorder, failure: Failure) -> None:
    evict(recorder.draft)
    context = recorder.context()
    recorder.take((fail(recorder.run, failure, context),), context)


def _kind_and_advice(error: BaseException) -> tuple[str, str]:
    match error:
        case Unregistered():
            return (
                "unregistered",
                "Deploy a processor of this queue that registers the workflow type.",
            )
        case PinnedElsewhere():
            return (
                "version",
                "Deploy a processor of this queue with that version, or give its workflows to the new one's "
                "pinned_versions: the run goes on by itself.",
            )
        case NondeterminismError():
            return (
                "nondeterminism",
                "The code no longer does what the run's history says. Deploy the former code, or make the change "
                "conditional on a patch.",
            )
        case CodecFailed():
            return (
                "stuck",
                "The payload codec failed, not the code. Once it works again the run goes on by itself.",
            )
        case NotGrantedThere():
            return (
                "grant",
                "Once the processor has the grant, the run goes on by itself.",
            )
        case StepLimitExceeded():
            return (
                "looping",
                "A step used up its CPU time without waiting. Move long computations to activities; end loops.",
            )
        case _:
            return (
                "stuck",
                "The code raised an error that is not a failure. Fix the code and deploy: the run goes on by itself. "
                "To fail the run instead, raise ApplicationError.",
            )


def _retry_ms(kind: str, count: int, retry_ms_max: int) -> int:
    first_ms = LOOPING_RETRY_MS if kind == "looping" else FIRST_RETRY_MS
    return int(min(first_ms * 2 ** min(count - 1, 20), retry_ms_max))


def _said(cause: BaseException, failure: Failure | None, around: Surroundings) -> str:
    """What may be read by everybody: not the message of a failure in which it was encoded, or should have been."""
    if failure is None:
        return str(cause) if around.gate.open else type(cause).__name__
    encoded = failure.encoded_attributes or failure.message.startswith(_UNCONVERTED)
    return failure.message if encoded else str(cause)


def _owner(run: Run, around: Surroundings) -> Owner:
    namespace = around.options.namespace
    return owner_of_run(namespace, run.workflow_id, run.run_id, run.start.workflow_type)


def _failure(cause: BaseException, around: Surroundings, run: Run) -> Failure | None:
    try:
        owner = _owner(run, around)
        converter = around.converter.with_context(owner.context)
        failure = failure_of(converter.failure_converter, cause, converter.payload_converter)
        return around.gate.failure_out(owner, failure)
    except Exception as fault:  # a cause that cannot be converted: its stack is in the log
        log.warning("failure_not_converted", stack="".join(traceback.format_exception(cause)))
        if around.converter.payload_codec is not None:  # it may be of what should have been encoded
            return None
        return Failure(kind=FailureKind.APPLICATION, message=f"{_UNCONVERTED}: {fault}")


def _watched(
    around: Surroundings, run_id: str, suspect: str
) -> contextlib.AbstractContextManager[None]:
    return around.watchdog.watch(run_id, suspect) if around.watchdog else contextlib.nullcontext()
