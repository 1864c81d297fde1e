"""What an error of the client library means for us: one table, by code.

The library's flags are not enough. A fenced producer may come back as neither fatal nor retriable, and an EndTxn whose
outcome nobody knows as merely abortable; so the code decides first, then the call, and the flags come last.

    verdict   what is done                                            raised
    RETRY     the same call again, until the transaction's deadline
    ABORT     abort; the producer can go on                           Aborted
    REFUSED   abort; this record will never be taken                  RecordRefused
    UNGRANTED abort; the same again once a grant was given            NotGranted
    UNKNOWN   new producers, read the committed offsets again         OutcomeUnknown
    FENCED    give the partitions up                                  Fenced
    FATAL     end the process                                         Fatal

A stale generation (ILLEGAL_GENERATION, STALE_MEMBER_EPOCH, REBALANCE_IN_PROGRESS) is ABORT: the group has moved on,
but the member is still known, and its next `poll` tells which partitions it keeps. A member that the coordinator does
not know (UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID) owns nothing any more, which is FENCED.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final, NamedTuple

from confluent_kafka import KafkaError, KafkaException

from streamflow.ports import (
    Aborted,
    Fatal,
    Fenced,
    LogError,
    NotGranted,
    OutcomeUnknown,
    OutRecord,
    RecordRefused,
    Unavailable,
)


class Call(Enum):
    """Where in a transaction's life an error came up."""

    INIT = "init_transactions"
    BEGIN = "begin_transaction"
    APPEND = "produce"
    OFFSETS = "send_offsets_to_transaction"
    COMMIT = "commit_transaction"
    ABORT = "abort_transaction"


class Verdict(Enum):
    RETRY = auto()
    ABORT = auto()
    REFUSED = auto()
    UNGRANTED = auto()
    UNKNOWN = auto()
    FENCED = auto()
    FATAL = auto()


FENCED: Final = frozenset(
    {
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.FENCED_MEMBER_EPOCH,
        KafkaError.UNKNOWN_MEMBER_ID,
    }
)

STALE_GENERATION: Final = frozenset(
    {
        KafkaError.ILLEGAL_GENERATION,
        KafkaError.STALE_MEMBER_EPOCH,
        KafkaError.REBALANCE_IN_PROGRESS,
    }
)

# Trying again changes nothing before somebody changes the cluster or the settings.
HOPELESS: Final = frozenset(
    {
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.INVALID_TRANSACTION_TIMEOUT,
        KafkaError.OFFSET_METADATA_TOO_LARGE,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
        KafkaError.UNSUPPORTED_VERSION,
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError._UNSUPPORTED_FEATURE,
    }
)

REFUSED: Final = frozenset(
    {
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.POLICY_VIOLATION,
        KafkaError.RECORD_LIST_TOO_LARGE,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.UNKNOWN_TOPIC_ID,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError._UNKNOWN_TOPIC,
    }
)

# What a topic takes of no record of this client, until it is granted.
UNGRANTED: Final = frozenset({KafkaError.TOPIC_AUTHORIZATION_FAILED})

LOST_POSITION: Final = frozenset({KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET})
"""There is nothing where a consumer reads: retention took it, or the partition was made anew."""

# Not the reason but its echo: what is dropped when a transaction has failed for another cause.
PURGED: Final = frozenset({KafkaError._PURGE_INFLIGHT, KafkaError._PURGE_QUEUE})


def judge(error: KafkaError, call: Call) -> Verdict:
    """What to do about an error of this call."""
    code = error.code()
    if code in FENCED:
        return Verdict.FENCED
    if code in HOPELESS:
        return Verdict.FATAL
    if call in (Call.COMMIT, Call.ABORT):
        # Whatever the flags say, the first copy of the request may have been carried out.
        return Verdict.RETRY if error.retriable() else Verdict.UNKNOWN
    if error.fatal() or code == KafkaError._FATAL:
        # A producer has come to its end, as by a coordinator that moved; a new one goes on under its ID. Where that is
        # what fails, nothing helps.
        return Verdict.FATAL if call is Call.INIT else Verdict.UNKNOWN
    if code in REFUSED:
        return Verdict.REFUSED
    if code in UNGRANTED:
        return Verdict.UNGRANTED
    if code in STALE_GENERATION:
        return Verdict.ABORT
    if error.retriable():
        return Verdict.RETRY
    if error.txn_requires_abort():
        return Verdict.ABORT
    if code == KafkaError._STATE and call is Call.APPEND:
        # The transaction has failed while it was appended to: `produce` tells neither why nor by a flag.
        return Verdict.ABORT
    # The library's own advice: an error with none of its flags is fatal.
    return Verdict.FATAL


def after_deadline(call: Call) -> Verdict:
    """The verdict on a call that was still to be retried when its time was up."""
    match call:
        case Call.COMMIT | Call.ABORT | Call.INIT:
            return Verdict.UNKNOWN
        case Call.BEGIN | Call.APPEND | Call.OFFSETS:
            return Verdict.ABORT


# A fatal error of a consumer has its reason in the text alone.
_FENCED_INSTANCE_TEXT: Final = KafkaError(KafkaError.FENCED_INSTANCE_ID).str()


UNAUTHORIZED: Final = frozenset(
    {
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
        KafkaError.GROUP_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    }
)


class Needed(NamedTuple):
    """A grant that an error was about, in the words of `kafka-acls.sh`."""

    operation: str
    resource: str
    name: str
    prefixed: bool = False

    def __str__(self) -> str:
        return f"{self.operation} on {self.resource} {self.name}"

    def command(self) -> str:
        """Gives it; who is to get it, and the broker, are left to whoever runs it."""
        words = ["--operation", self.operation, f"--{self.resource}"]
        if self.resource != "cluster":
            words.append(shlex.quote(self.name))
        if self.prefixed:
            words += ["--resource-pattern-type", "prefixed"]
        return " ".join((_ADD, *words))


_ADD: Final = "kafka-acls.sh --bootstrap-server $KAFKA --add --allow-principal User:$PRINCIPAL"


def to_be_granted(error: KafkaError, *needs: Needed) -> str:
    """What to do about an error of authorization, as `` Grant this client ...``; empty for any other."""
    if error.code() not in UNAUTHORIZED or not needs:
        return ""
    granted = ", ".join(str(one) for one in needs)
    commands = "; ".join(one.command() for one in needs)
    return f" Grant this client {granted}: `{commands}`; `streamflow topology acls` prints all that a role needs."


class CallFailed(Exception):
    """One call of a transaction failed; stays within this package."""

    def __init__(
        self,
        call: Call,
        verdict: Verdict,
        error: KafkaError,
        record: OutRecord | None = None,
        *,
        needs: Sequence[Needed] = (),
    ) -> None:
        granted = to_be_granted(error, *needs)
        super().__init__(f"{call.value}: {error.name()}: {error}{granted}")
        self.call = call
        self.verdict = verdict
        self.error = error
        self.record = record

    def as_log_error(self) -> LogError:
        """The same in the words of the port, with what to do."""
        match self.verdict:
            case Verdict.ABORT | Verdict.RETRY:
                return Aborted(
                    f"The transaction was aborted at {self}. Drop what it staged and replay."
                )
            case Verdict.REFUSED:
                return RecordRefused(refusal(self.error, self.record), self.record)
            case Verdict.UNGRANTED:
                return NotGranted(f"The transaction was aborted at {self}")
            case Verdict.UNKNOWN:
                return OutcomeUnknown(
                    f"Nobody knows whether the transaction happened ({self}). Reopen the transactor, "
                    "read the committed offsets, and replay."
                )
            case Verdict.FENCED:
                return Fenced(
                    f"This process has been replaced ({self}). Give its partitions up; if a namesake runs, "
                    "give one of the two another name."
                )
            case Verdict.FATAL:
                return Fatal(
                    f"The Kafka client can do no more ({self}). End the process and start it again."
                )


def error_of(exception: KafkaException) -> KafkaError:
    """The error inside an exception of the client library."""
    first = exception.args[0] if exception.args else None
    if isinstance(first, KafkaError):
        return first
    return KafkaError(KafkaError._FAIL, str(exception))


def refusal(error: KafkaError, record: OutRecord | None) -> str:
    """Says which record Kafka will not take, and what to look at."""
    place = "a record" if record is None else f"the record for {record.topic}/{record.partition}"
    size = (
        ""
        if record is None
        else f" (key {len(record.key or b'')} bytes, value {len(record.value or b'')} bytes)"
    )
    return (
        f"Kafka refuses {place}{size}: {error.name()}, {error.str()}. "
        "Check the topic and its max.message.bytes."
    )


def not_granted(error: KafkaError, topics: Sequence[str]) -> NotGranted:
    """Why these topics take nothing of this client, and what mends it."""
    granted = to_be_granted(error, *(Needed("Write", "topic", topic) for topic in topics))
    return NotGranted(
        f"Kafka refuses records for {', '.join(topics)}: {error.name()}, {error.str()}.{granted} "
        "Until then what would write there waits, and is tried again.",
        topics,
    )


def delivery_error(error: KafkaError, record: OutRecord) -> LogError:
    """What a plain producer's failed delivery means."""
    if error.code() in REFUSED:
        return RecordRefused(refusal(error, record), record)
    if error.code() in UNGRANTED:
        return not_granted(error, [record.topic])
    if error.fatal() or error.code() in HOPELESS:
        granted = to_be_granted(error, Needed("Write", "topic", record.topic))
        return Fatal(
            f"Expected {record.topic}/{record.partition} to take a record, found {error.name()}: {error.str()}.{granted}"
        )
    return Unavailable(
        f"Expected {record.topic}/{record.partition} to take a record, found {error.name()}: {error.str()}. "
        "It may have been appended nevertheless; send it again if it carries its own identity."
    )


def reading_error(error: KafkaError, what: str, *, needs: Sequence[Needed] = ()) -> LogError:
    """What an error met while reading or asking means: fenced, not now, or never. ``needs`` are the grants that it takes."""
    text = f"{what}: {error.name()}: {error.str()}."
    code = error.code()
    if code in FENCED or _FENCED_INSTANCE_TEXT in error.str():
        return Fenced(f"{text} Another process runs under the same name: give one of them another.")
    if code in HOPELESS or code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
        granted = to_be_granted(error, *needs)
        return LogError(text + (granted or " Check the credentials and grants of this client."))
    if error.fatal() or code == KafkaError._FATAL:
        return Fatal(f"{text} End the process and start it again.")
    return Unavailable(f"{text} Try again.")
