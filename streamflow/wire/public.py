"""What outsiders may say: the messages of the public inbox contract (docs/inbox.md), version 1.

Each is a JSON object with ``type``, or an Avro record of the same fields. Fields may be added with defaults, never
changed; ``null`` means absent. The record's key is the workflow ID, so ``id`` is only a cross-check. Durations are
integer milliseconds. An argument is any JSON value; it reaches workflow code as encoding ``json/plain``.

In the Avro form an argument, memo or attribute value is a string that holds JSON text.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, get_args

import msgspec

from streamflow.model.commands import UpdateStage, WaitFor
from streamflow.model.options import IdConflictPolicy, IdReusePolicy

VERSION: Final = 1
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


class Update(Message, frozen=True, kw_only=True, tag="update"):
    """Asks a run's code to change something and answer; needs a reply address."""

    update: str
    """The update's name."""
    update_id: str
    """Names the update within its run: sent again under it, it is done once. Send again what is not answered."""
    args: list[Json] = []
    """Arguments, in order."""
    run_id: str | None = None
    """One run of the workflow; absent is the latest."""
    wait_for: UpdateStage = UpdateStage.COMPLETED
    """Whether the answer is that it was accepted, or its outcome."""


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


PublicMessage = Start | Signal | Query | Update | Cancel | Terminate | Describe | Result
MESSAGES: Final[tuple[type[Message], ...]] = get_args(PublicMessage)


def tag_of(message: type[Message]) -> str:
    """The message's ``type``."""
    return str(message.__struct_config__.tag)


KINDS: Final[dict[str, type[Message]]] = {tag_of(message): message for message in MESSAGES}


def kind_of(message: Message) -> str:
    return tag_of(type(message))


def needs_reply(message: Message) -> bool:
    """Whether the message is pointless without an address for its answer."""
    return isinstance(message, Query | Update | Describe | Result)
