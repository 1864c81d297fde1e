"""The error table: what each error of the client library means, whatever its flags say."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError

from streamflow.kafka.errors import (
    Call,
    CallFailed,
    Verdict,
    after_deadline,
    delivery_error,
    judge,
    reading_error,
)
from streamflow.ports import (
    Aborted,
    Fatal,
    Fenced,
    LogError,
    OutcomeUnknown,
    OutRecord,
    RecordRefused,
    Unavailable,
)

RECORD = OutRecord("t", 3, b"key", b"value")


def _error(
    code: int, *, fatal: bool = False, retriable: bool = False, abort: bool = False
) -> KafkaError:
    return KafkaError(code, "said", fatal, retriable, abort)


@pytest.mark.parametrize("call", list(Call))
@pytest.mark.parametrize(
    "code",
    [
        KafkaError._FENCED,
        KafkaError.PRODUCER_FENCED,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.FENCED_INSTANCE_ID,
        KafkaError.UNKNOWN_MEMBER_ID,
    ],
)
@pytest.mark.parametrize("flags", [{}, {"abort": True}, {"retriable": True}, {"fatal": True}])
def test_fenced_is_fenced_whatever_the_flags(call: Call, code: int, flags: dict[str, bool]) -> None:
    """The library gives a fenced producer in every dress, even as one that may go on."""
    assert judge(_error(code, **flags), call) is Verdict.FENCED


@pytest.mark.parametrize("flags", [{}, {"abort": True}, {"fatal": True}])
@pytest.mark.parametrize(
    "code", [KafkaError.REQUEST_TIMED_OUT, KafkaError.INVALID_TXN_STATE, KafkaError._TRANSPORT]
)
def test_an_error_of_the_commit_leaves_the_outcome_unknown(
    code: int, flags: dict[str, bool]
) -> None:
    """Even one that the library calls abortable."""
    assert judge(_error(code, **flags), Call.COMMIT) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("call", "error", "verdict"),
    [
        (Call.COMMIT, _error(KafkaError._TIMED_OUT, retriable=True), Verdict.RETRY),
        (Call.INIT, _error(KafkaError._TIMED_OUT, retriable=True), Verdict.RETRY),
        (Call.OFFSETS, _error(KafkaError.ILLEGAL_GENERATION, abort=True), Verdict.ABORT),
        (Call.OFFSETS, _error(KafkaError.STALE_MEMBER_EPOCH, abort=True), Verdict.ABORT),
        (Call.OFFSETS, _error(KafkaError.REBALANCE_IN_PROGRESS), Verdict.ABORT),
        (Call.OFFSETS, _error(KafkaError.TRANSACTION_ABORTABLE, abort=True), Verdict.ABORT),
        (Call.OFFSETS, _error(KafkaError.GROUP_AUTHORIZATION_FAILED, abort=True), Verdict.FATAL),
        (Call.APPEND, _error(KafkaError.MSG_SIZE_TOO_LARGE), Verdict.REFUSED),
        (Call.APPEND, _error(KafkaError.TOPIC_AUTHORIZATION_FAILED, abort=True), Verdict.UNGRANTED),
        (Call.APPEND, _error(KafkaError._UNKNOWN_PARTITION), Verdict.REFUSED),
        (Call.APPEND, _error(KafkaError.UNKNOWN_PRODUCER_ID, abort=True), Verdict.ABORT),
        (Call.APPEND, _error(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True), Verdict.UNKNOWN),
        (Call.APPEND, _error(KafkaError._STATE), Verdict.ABORT),
        (Call.APPEND, _error(KafkaError._STATE, fatal=True), Verdict.UNKNOWN),
        (Call.APPEND, _error(KafkaError._FATAL), Verdict.UNKNOWN),
        (Call.ABORT, _error(KafkaError._CONFLICT), Verdict.UNKNOWN),
        (Call.ABORT, _error(KafkaError.INVALID_TXN_STATE, fatal=True), Verdict.UNKNOWN),
        (Call.BEGIN, _error(KafkaError._FATAL, fatal=True), Verdict.UNKNOWN),
        (Call.INIT, _error(KafkaError._FATAL, fatal=True), Verdict.FATAL),
        (Call.BEGIN, _error(KafkaError._STATE), Verdict.FATAL),
    ],
)
def test_the_table(call: Call, error: KafkaError, verdict: Verdict) -> None:
    """One row each; an error without any flag is fatal."""
    assert judge(error, call) is verdict


def test_a_retry_that_runs_out_of_time_is_judged_by_its_call() -> None:
    """Before the commit nothing has happened; from it on nobody knows."""
    assert {call: after_deadline(call) for call in Call} == {
        Call.INIT: Verdict.UNKNOWN,
        Call.BEGIN: Verdict.ABORT,
        Call.APPEND: Verdict.ABORT,
        Call.OFFSETS: Verdict.ABORT,
        Call.COMMIT: Verdict.UNKNOWN,
        Call.ABORT: Verdict.UNKNOWN,
    }


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict.RETRY, Aborted),
        (Verdict.ABORT, Aborted),
        (Verdict.REFUSED, RecordRefused),
        (Verdict.UNKNOWN, OutcomeUnknown),
        (Verdict.FENCED, Fenced),
        (Verdict.FATAL, Fatal),
    ],
)
def test_each_verdict_has_one_error_of_the_port(verdict: Verdict, kind: type[LogError]) -> None:
    """That names the call and the code."""
    raised = CallFailed(Call.OFFSETS, verdict, _error(KafkaError.MSG_SIZE_TOO_LARGE), RECORD)

    assert type(raised.as_log_error()) is kind
    assert "MSG_SIZE_TOO_LARGE" in str(raised.as_log_error())


def test_a_refusal_names_its_record() -> None:
    """For a transaction and for a plain append."""
    failed = CallFailed(Call.APPEND, Verdict.REFUSED, _error(KafkaError.MSG_SIZE_TOO_LARGE), RECORD)

    for error in (
        failed.as_log_error(),
        delivery_error(_error(KafkaError.MSG_SIZE_TOO_LARGE), RECORD),
    ):
        assert isinstance(error, RecordRefused)
        assert error.record is RECORD
        assert "t/3" in str(error)
        assert "value 5 bytes" in str(error)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_error(KafkaError._MSG_TIMED_OUT), Unavailable),
        (_error(KafkaError._PURGE_QUEUE), Unavailable),
        (_error(KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER, fatal=True), Fatal),
        (_error(KafkaError.CLUSTER_AUTHORIZATION_FAILED), Fatal),
    ],
)
def test_a_failed_delivery_says_what_to_do(error: KafkaError, kind: type[LogError]) -> None:
    """Send again, or end."""
    assert type(delivery_error(error, RECORD)) is kind


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_error(KafkaError._TIMED_OUT), Unavailable),
        (_error(KafkaError.FENCED_INSTANCE_ID), Fenced),
        (_error(KafkaError._FATAL), Fatal),
        (KafkaError(KafkaError._FATAL, KafkaError(KafkaError.FENCED_INSTANCE_ID).str()), Fenced),
        (_error(KafkaError.TOPIC_AUTHORIZATION_FAILED), LogError),
    ],
)
def test_a_failed_read_says_what_to_do(error: KafkaError, kind: type[LogError]) -> None:
    """A consumer's fatal error has its reason in the text alone."""
    assert type(reading_error(error, "Expected it")) is kind
