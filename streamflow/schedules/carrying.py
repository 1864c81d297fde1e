"""What an action leaves to the next one: its result, or why it failed. Carried as stored, since hosts have no codec."""

from __future__ import annotations

from typing import Any, Final

from streamflow import workflow
from streamflow.common import RawValue
from streamflow.converter import DefaultPayloadConverter
from streamflow.coroutine.context import current
from streamflow.engine.sizes import payload_bytes, shortened
from streamflow.exceptions import ChildWorkflowError, TerminatedError, is_cancelled_exception
from streamflow.model.payload import Payload
from streamflow.schedules.facts import Action, Info

CARRIED_BYTES_MAX: Final = 600_000
"""A result together with what the action itself brings: both travel in one record, and in the schedule's own memory."""
FAILURE_BYTES_MAX: Final = 20_000


class AsStored(DefaultPayloadConverter):
    """Of hosts: what only its owner can read stays as it is, instead of being an error of the schedule's."""

    def _decoded(self, payload: Payload, type_hint: Any) -> Any:
        known = payload.metadata.get("encoding") in self.converters
        return super()._decoded(payload, type_hint if known else RawValue)


def leave_result(info: Info, action: Action, result: RawValue) -> None:
    """A result that is too large is left out, rather than one from before being taken for it."""
    info.last_failure, info.last_result = None, (result.payload,)
    found = payload_bytes(action.args, action.headers, action.memo, info.last_result)
    if found > CARRIED_BYTES_MAX:
        info.last_result = ()
        workflow.logger.warning(
            "Expected at most %s bytes of an action and the last result together, found %s: the next one goes without",
            CARRIED_BYTES_MAX,
            found,
        )


def leave_failure(info: Info, error: ChildWorkflowError) -> None:
    """The result of whoever completed before stays. Being cancelled or terminated is no failure."""
    if is_failure(error):
        failure = current().values.to_failure(error.cause or error)
        info.last_failure = shortened(failure, FAILURE_BYTES_MAX)


def is_failure(error: ChildWorkflowError) -> bool:
    return not (is_cancelled_exception(error) or isinstance(error.cause, TerminatedError))
