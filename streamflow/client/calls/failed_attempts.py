"""What attempts of an activity failed with, as users see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from streamflow.client.calls.values import decode_failure
from streamflow.converter import DataConverter
from streamflow.model.failed_attempts import FailedAttempts as FailedAttemptsFacts


@dataclass(frozen=True)
class FailedAttempts:
    """One attempt of a pending activity, or several in a row that failed alike."""

    first: int
    """Number of the first of them. Numbers begin at 1 again after a reset."""
    last: int
    first_time: datetime
    """When the first of them had failed."""
    last_time: datetime
    failure: BaseException
    """Without details, stack and causes; its message has 500 characters at most."""
    last_worker_identity: str

    @property
    def numbers(self) -> str:
        """``3``, or ``3-17``."""
        return str(self.first) if self.first == self.last else f"{self.first}-{self.last}"


async def failed_attempts_of(
    facts: FailedAttemptsFacts, converter: DataConverter
) -> FailedAttempts:
    return FailedAttempts(
        first=facts.first,
        last=facts.last,
        first_time=datetime.fromtimestamp(facts.first_ms / 1_000, UTC),
        last_time=datetime.fromtimestamp(facts.last_ms / 1_000, UTC),
        failure=await decode_failure(converter, facts.failure),
        last_worker_identity=facts.identity,
    )
