"""What becomes of a run whose step went wrong: it waits, with what is wrong and when it is tried again, or it fails."""

from __future__ import annotations

import traceback

from streamflow.converter.failure import failure_of
from streamflow.coroutine.errors import (
    CodeFailed,
    NondeterminismError,
    StepLimitExceeded,
)
from streamflow.engine.decide.ending import fail
from streamflow.engine.sizes import beginning, shortened
from streamflow.engine.state import Run
from streamflow.exceptions import ApplicationError
from streamflow.model.answers import Trouble
from streamflow.model.failure import NONDETERMINISM, Failure, FailureKind
from streamflow.observability import get_logger
from streamflow.processor.host.surroundings import Surroundings
from streamflow.processor.host.versions import PinnedElsewhere
from streamflow.processor.host.watchdog import suspect_of
from streamflow.processor.payloads.codec import CodecFailed
from streamflow.processor.payloads.whose import Owner, owner_of_run
from streamflow.processor.state.draft import evict
from streamflow.processor.steps.addressing import NotGrantedThere
from streamflow.processor.steps.code import Unregistered, code_of
from streamflow.processor.steps.recorder import Recorder
from streamflow.processor.steps.telling import tell_of_failed_step

log = get_logger("processor")
_UNCONVERTED = "Failed converting activation exception"

FIRST_RETRY_MS = 1_000
LOOPING_RETRY_MS = 30_000
"""A looping run costs its partition the whole step limit each time, so it is tried far less often."""

FAILURE_BYTES_MAX = 100_000
"""Of a trouble: the run's description has it beside its memo."""


def stuck(recorder: Recorder, around: Surroundings, error: BaseException) -> None:
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
            "Its code ended the process: it never yields, crashes, or takes too much memory. Fix it and deploy: changed code is "
            "tried again. Where the code was not at fault: streamflow workflow unpause."
        )
    cause = error.exception if isinstance(error, CodeFailed | CodecFailed) else error
    failure = failure_for(cause, around, recorder.run)
    message = said(cause, failure, around) if isinstance(error, CodeFailed) else str(cause)
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
            message=beginning(f"{type(cause).__name__}: {message}"),
            advice=advice,
            failure=failure and shortened(failure, FAILURE_BYTES_MAX),
            count=count,
            since_ms=before.since_ms if before else now_ms,
            next_try_ms=now_ms + retry_ms if retry_ms else 0,
        )
    )


def ending(recorder: Recorder, around: Surroundings, error: BaseException) -> Failure | None:
    """What the run fails with because of the error; ``None`` if it shall be tried again."""
    failure = _ending(recorder, around, error)
    return failure and shortened(failure, around.options.limits.payload_bytes_max)


def _ending(recorder: Recorder, around: Surroundings, error: BaseException) -> Failure | None:
    run = recorder.run
    if isinstance(error, NondeterminismError) and _fails_run(recorder, around):
        failure = Failure(kind=FailureKind.APPLICATION, message=str(error), type=NONDETERMINISM)
        return around.gate.failure_out(_owner(run, around), failure)
    cause = error.exception if isinstance(error, CodecFailed) else None
    if isinstance(cause, ApplicationError) and cause.non_retryable:
        # Of a codec or a store that knows that it can never have the payload.
        return failure_for(cause, around, run)
    return None


def _fails_run(recorder: Recorder, around: Surroundings) -> bool:
    """Whether the worker, or the workflow's definition, counts nondeterminism among what fails a run."""
    code = code_of(recorder.run, around)
    of_workflow = (*code.failure_exception_types, *code.worker_failure_types)
    return issubclass(NondeterminismError, (*around.failure_types, *of_workflow))


def fail_run(recorder: Recorder, failure: Failure) -> None:
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


def said(cause: BaseException, failure: Failure | None, around: Surroundings) -> str:
    """What may be read by everybody: not the message of a failure in which it was encoded, or should have been."""
    if failure is None:
        return str(cause) if around.gate.open else type(cause).__name__
    encoded = failure.encoded_attributes or failure.message.startswith(_UNCONVERTED)
    return failure.message if encoded else str(cause)


def _owner(run: Run, around: Surroundings) -> Owner:
    namespace = around.options.namespace
    return owner_of_run(namespace, run.workflow_id, run.run_id, run.start.workflow_type)


def failure_for(cause: BaseException, around: Surroundings, run: Run) -> Failure | None:
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
