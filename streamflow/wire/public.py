"""What outsiders may say: the messages of the public inbox contract (docs/inbox.md), version 1.

Each is a JSON object with ``type``, or an Avro record of the same fields. Fields may be added with defaults, never
changed; ``null`` means absent. The record's key is the workflow ID, so ``id`` is only a cross-check. Durations are
integer milliseconds. An argument is any JSON value; it reaches workflow code as encoding ``json/plain``.

In the Avro form an argument, memo or attribute value is a string that holds JSON text.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast, get_args

import msgspec

from streamflow.model.commands import (
    AwaitResult,
    CancelWorkflow,
    Command,
    DescribeWorkflow,
    QueryWorkflow,
    SignalWorkflow,
    StartWorkflow,
    TerminateWorkflow,
    WaitFor,
)
from streamflow.model.ids import RunId, WorkflowId
from streamflow.model.options import IdConflictPolicy, IdReusePolicy, RetryPolicy
from streamflow.model.payload import Payload, Payloads
from streamflow.wire import jsontext
from streamflow.wire.errors import KEY, VALUE, Undecodable

VERSION: Final = 1
_JSON_PLAIN: Final = {"encoding": b"json/plain"}
Json = msgspec.Raw
"""JSON text, kept as it was sent."""


Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 31)]


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often and how soon a workflow is tried again."""

    initial_interval_ms: Annotated[int, msgspec.Meta(ge=1, le=1 << 53)] = 1_000
    """Wait before the second attempt."""
    backoff_coefficient: Annotated[float, msgspec.Meta(ge=1, le=1_000_000)] = 2.0
    """By how much each further wait grows."""
    maximum_interval_ms: Milliseconds | None = None
    """No wait is longer; absent is 100 times the first."""
    maximum_attempts: Count = 0
    """0 is for as long as it takes."""
    non_retryable_error_types: list[str] = []
    """Types of failure after which there is no further attempt."""


class Message(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True
):
    """Fields that every message may have."""

    id: str | None = None
    """The workflow ID again, if the sender likes to repeat it; it must equal the record's key."""
    version: int = VERSION
    """Of this contract."""


class Start(Message, frozen=True, kw_only=True, tag="start"):
    """Starts a workflow; with ``signal`` also delivers that signal, to the open run if there is one."""

    workflow: str
    """The workflow type's registered name."""
    args: list[Json] = []
    """Arguments, in order."""
    id_reuse_policy: IdReusePolicy = IdReusePolicy.REJECT_DUPLICATE
    """Whether the ID of a closed run may be used again."""
    id_conflict_policy: IdConflictPolicy = IdConflictPolicy.FAIL
    """What to do when a run of this ID is open."""
    retry_policy: Retry | None = None
    """How the workflow as a whole is retried; absent is never."""
    execution_timeout_ms: Milliseconds | None = None
    """Limit of all runs together."""
    run_timeout_ms: Milliseconds | None = None
    """Limit of one run."""
    task_timeout_ms: Milliseconds | None = None
    """Limit of one activation."""
    start_delay_ms: Milliseconds = 0
    """How long the first activation waits."""
    cron_schedule: str = ""
    """When to run again, in cron's notation."""
    memo: dict[str, Json] = {}
    """Values shown with the run."""
    search_attributes: dict[str, Json] = {}
    """Values by which the run can be found."""
    static_summary: str = ""
    """One line for people."""
    static_details: str = ""
    """More lines for people."""
    signal: str = ""
    """Name of a signal to deliver with the start."""
    signal_args: list[Json] = []
    """Arguments of that signal."""
    wait_for: WaitFor = WaitFor.ACCEPTED
    """With a reply address: whether the answer is that it was accepted, or the run's result."""


class Signal(Message, frozen=True, kw_only=True, tag="signal"):
    """Sends a signal to a run."""

    signal: str
    """The signal's name."""
    args: list[Json] = []
    """Arguments, in order."""
    run_id: str | None = None
    """One run of the workflow; absent is the latest."""


class Query(Message, frozen=True, kw_only=True, tag="query"):
    """Reads a run's state; needs a reply address."""

    query: str
    """The query's name."""
    args: list[Json] = []
    """Arguments, in order."""
    run_id: str | None = None
    """One run of the workflow; absent is the latest."""
    reject_condition: Literal["none", "not_open", "not_completed_cleanly"] = "none"
    """Which runs refuse to answer."""


class Cancel(Message, frozen=True, kw_only=True, tag="cancel"):
    """Asks a run to end; its code decides how."""

    run_id: str | None = None
    """One run of the workflow; absent is the latest."""
    first_run_id: str | None = None
    """Only if the run belongs to the chain that began with this one."""
    reason: str = ""
    """For people."""


class Terminate(Message, frozen=True, kw_only=True, tag="terminate"):
    """Ends a run at once; its code is not asked."""

    run_id: str | None = None
    """One run of the workflow; absent is the latest."""
    first_run_id: str | None = None
    """Only if the run belongs to the chain that began with this one."""
    reason: str = ""
    """For people."""
    details: list[Json] = []
    """Values kept with the run's end."""


class Describe(Message, frozen=True, kw_only=True, tag="describe"):
    """Asks for everything known of a run without running its code; needs a reply address."""

    run_id: str | None = None
    """One run of the workflow; absent is the latest."""


class Result(Message, frozen=True, kw_only=True, tag="result"):
    """Waits for a run's end; needs a reply address."""

    run_id: str | None = None
    """One run of the workflow; absent is the latest."""


PublicMessage = Start | Signal | Query | Cancel | Terminate | Describe | Result
MESSAGES: Final[tuple[type[Message], ...]] = get_args(PublicMessage)


def tag_of(message: type[Message]) -> str:
    """The message's ``type``."""
    return str(message.__struct_config__.tag)


KINDS: Final[dict[str, type[Message]]] = {tag_of(message): message for message in MESSAGES}


def kind_of(message: Message) -> str:
    return tag_of(type(message))


def needs_reply(message: Message) -> bool:
    """Whether the message is pointless without an address for its answer."""
    return isinstance(message, Query | Describe | Result)


# -- JSON ---------------------------------------------------------------------------------------------------------


def from_json(value: bytes, implied: str = "") -> Message:
    """The message of a JSON document; ``implied`` is the kind that an enclosing CloudEvent states.

    Raises:
        Undecodable: not JSON, or not a message of the contract.
    """
    jsontext.check(value)
    try:
        fields = msgspec.json.decode(value, type=dict[str, Json])
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Undecodable(VALUE, f"Expected a JSON object like {_EXAMPLE}: {wrong}") from None
    return _message(fields, implied)


def _message(fields: dict[str, Json], implied: str) -> Message:
    present = {name: text for name, text in fields.items() if bytes(text) != b"null"}
    said = _kind(present.pop("type", None))
    if said and implied and said != implied:
        raise Undecodable(
            VALUE, f"Expected type {implied!r} as the CloudEvent's type says, found {said!r}"
        )
    kind = said or implied
    cls = KINDS.get(kind)
    if cls is None:
        found = f"{kind!r}{_nearest(kind, KINDS)}" if kind else "none"
        raise Undecodable(VALUE, f"Expected a type among {', '.join(KINDS)}, found {found}")
    for name in present:
        if name not in cls.__struct_fields__:
            known = ", ".join(cls.__struct_fields__)
            hint = _nearest(name, cls.__struct_fields__)
            raise Undecodable(VALUE, f"Expected fields of a {kind} ({known}), found {name!r}{hint}")
    return _typed(cls, kind, present)


def _typed(cls: type[Message], kind: str, present: dict[str, Json]) -> Message:
    try:
        message = msgspec.json.decode(msgspec.json.encode({"type": kind, **present}), type=cls)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Undecodable(VALUE, f"Wrong {kind}: {wrong}") from None
    if message.version != VERSION:
        raise Undecodable(
            VALUE, f"Expected version {VERSION} of the contract, found {message.version}"
        )
    return message


def _kind(text: Json | None) -> str:
    if text is None:
        return ""
    try:
        return msgspec.json.decode(text, type=str)
    except (msgspec.DecodeError, RecursionError):
        raise Undecodable(VALUE, f"Expected type as a string, found {bytes(text)[:40]!r}") from None


def _nearest(name: str, known: Any) -> str:
    near = difflib.get_close_matches(name[:100], list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


_EXAMPLE: Final = '{"type":"start","workflow":"Order","args":[]}'


# -- Avro ---------------------------------------------------------------------------------------------------------

_JSON_LISTS: Final = ("args", "signal_args", "details")
_JSON_MAPS: Final = ("memo", "search_attributes")


def from_avro(record_name: str, plain: Mapping[str, Any]) -> Message:
    """The message of a decoded Avro record; its kind is the record's name, its schema may be an outsider's own.

    Raises:
        Undecodable: another record, or fields of other types.
    """
    kind = record_name.rpartition(".")[2].lower()
    if kind not in KINDS:
        names = ", ".join(message.__name__ for message in MESSAGES)
        raise Undecodable(VALUE, f"Expected an Avro record named {names}, found {record_name!r}")
    try:
        fields = {name: _as_json(name, content) for name, content in plain.items()}
    except (TypeError, ValueError) as wrong:
        raise Undecodable(VALUE, f"Wrong Avro record {record_name}: {wrong}") from None
    return _message(fields, kind)


def _as_json(name: str, content: Any) -> Json:
    is_list, is_map = isinstance(content, list), isinstance(content, dict)
    if name in _JSON_LISTS and is_list:
        texts = cast(list[Any], content)
        return Json(msgspec.json.encode([Json(_checked(text)) for text in texts]))
    if name in _JSON_MAPS and is_map:
        values = cast(dict[str, Any], content)
        return Json(
            msgspec.json.encode({key: Json(_checked(text)) for key, text in values.items()})
        )
    return Json(msgspec.json.encode(content))


def _checked(text: Any) -> bytes:
    if not isinstance(text, str):
        raise Undecodable(
            VALUE, f"Expected each argument as a string of JSON text, found {type(text).__name__}"
        )
    jsontext.check(text.encode())
    return text.encode()


# -- to commands --------------------------------------------------------------------------------------------------


def command_of(message: Message, workflow_id: str) -> Command:
    """The command that a message asks for.

    Raises:
        Undecodable: the message names another workflow than the record's key.
    """
    if message.id is not None and message.id != workflow_id:
        raise Undecodable(
            KEY, f"Expected the record's key to be the id {message.id!r}, found {workflow_id!r}"
        )
    known = WorkflowId(workflow_id)
    match message:
        case Start():
            return _start(message, known)
        case Signal():
            return SignalWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                signal_name=message.signal,
                args=_payloads(message.args),
            )
        case Query():
            return QueryWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                query_name=message.query,
                args=_payloads(message.args),
                reject_condition=message.reject_condition,
            )
        case Cancel():
            return CancelWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                first_run_id=_run(message.first_run_id),
                reason=message.reason,
            )
        case Terminate():
            return TerminateWorkflow(
                workflow_id=known,
                run_id=_run(message.run_id),
                first_run_id=_run(message.first_run_id),
                reason=message.reason,
                details=_payloads(message.details),
            )
        case Describe():
            return DescribeWorkflow(workflow_id=known, run_id=_run(message.run_id))
        case Result():
            return AwaitResult(workflow_id=known, run_id=_run(message.run_id))
        case _:
            raise AssertionError(message)


def _start(message: Start, workflow_id: WorkflowId) -> StartWorkflow:
    return StartWorkflow(
        workflow_id=workflow_id,
        workflow_type=message.workflow,
        args=_payloads(message.args),
        id_reuse_policy=message.id_reuse_policy,
        id_conflict_policy=message.id_conflict_policy,
        retry_policy=_retry(message.retry_policy),
        execution_timeout_ms=message.execution_timeout_ms,
        run_timeout_ms=message.run_timeout_ms,
        task_timeout_ms=message.task_timeout_ms,
        start_delay_ms=message.start_delay_ms,
        cron_schedule=message.cron_schedule,
        memo=_values(message.memo),
        search_attributes=_values(message.search_attributes),
        static_summary=message.static_summary,
        static_details=message.static_details,
        signal_name=message.signal,
        signal_args=_payloads(message.signal_args),
        wait_for=message.wait_for,
    )


def _retry(retry: Retry | None) -> RetryPolicy | None:
    if retry is None:
        return None
    return RetryPolicy(
        initial_interval_ms=retry.initial_interval_ms,
        backoff_coefficient=retry.backoff_coefficient,
        maximum_interval_ms=retry.maximum_interval_ms,
        maximum_attempts=retry.maximum_attempts,
        non_retryable_error_types=tuple(retry.non_retryable_error_types),
    )


def _run(run_id: str | None) -> RunId | None:
    return RunId(run_id) if run_id else None


def _payloads(texts: list[Json]) -> Payloads:
    return tuple(_payload(text) for text in texts)


def _values(texts: Mapping[str, Json]) -> dict[str, Payload]:
    return {name: _payload(text) for name, text in texts.items()}


def _payload(text: Json) -> Payload:
    """The JSON as sent. It is parsed once here, so that it cannot be found broken in the middle of a run."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise Undecodable(VALUE, f"Expected JSON, found {bytes(text)[:80]!r}: {wrong}") from None
    return Payload(_JSON_PLAIN, bytes(text))
