"""What workflow code's own machinery has to tell becomes a line in the log, or a warning."""

from __future__ import annotations

import warnings

from streamflow.coroutine.notices import Notice, NoticeKind
from streamflow.observability import get_logger

log = get_logger("processor")


def tell(notice: Notice) -> None:
    """Warnings go the way of Python's own, so that users filter and test for them as they do for others."""
    if isinstance(notice.exception, Warning):
        try:
            warnings.warn(notice.exception, stacklevel=2)
        except Warning:  # a filter makes errors of them: the run's end must not depend on that
            _log(notice)
        return
    _log(notice)


def _log(notice: Notice) -> None:
    error = "" if notice.exception is None else repr(notice.exception)
    about = {
        NoticeKind.SIGNAL_DROPPED: "signal",
        NoticeKind.UNFINISHED_HANDLERS: "handlers",
        NoticeKind.UNHANDLED_ERROR: "what",
    }
    event = notice.kind.value
    if notice.kind is NoticeKind.SIGNAL_DROPPED:
        event = f"Failed deserializing signal input for {notice.text}, dropping the signal"
    log.warning(
        event,
        workflow_id=notice.workflow_id,
        run_id=notice.run_id,
        error=error,
        **{about[notice.kind]: notice.text},
    )
