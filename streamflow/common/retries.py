"""How often, and how soon, a failed attempt is made again. Durations are `timedelta`; the log keeps milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from streamflow.common.durations import from_ms, optional_duration, optional_ms, to_ms
from streamflow.model import options as model


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon a failed attempt is made again.

    The wait before retry ``n`` is ``initial_interval * backoff_coefficient ** (n - 1)``, at most ``maximum_interval``.
    """

    initial_interval: timedelta = timedelta(seconds=1)
    backoff_coefficient: float = 2.0
    maximum_interval: timedelta | None = None
    """Default: 100 times the initial interval."""
    maximum_attempts: int = 0
    """0 is without limit; 1 is no retry."""
    non_retryable_error_types: Sequence[str] | None = None
    """Class names, or the ``type`` of an `ApplicationError`, that end the attempts at once."""

    def _validate(self) -> None:
        """Raises ValueError for a policy that could not be followed."""
        if self.initial_interval <= timedelta(0):
            raise ValueError(f"Expected a positive initial_interval, found {self.initial_interval}")
        if self.backoff_coefficient < 1:
            raise ValueError(
                f"Expected a backoff_coefficient of 1 or more, found {self.backoff_coefficient}"
            )
        if self.maximum_interval is not None and self.maximum_interval < self.initial_interval:
            raise ValueError(
                f"Expected maximum_interval to be at least initial_interval ({self.initial_interval}), "
                f"found {self.maximum_interval}"
            )
        if self.maximum_attempts < 0:
            raise ValueError(
                f"Expected maximum_attempts of 0 (no limit) or more, found {self.maximum_attempts}"
            )

    def _to_model(self) -> model.RetryPolicy:
        self._validate()
        return model.RetryPolicy(
            initial_interval_ms=to_ms(self.initial_interval),
            backoff_coefficient=float(self.backoff_coefficient),
            maximum_interval_ms=optional_ms(self.maximum_interval),
            maximum_attempts=self.maximum_attempts,
            non_retryable_error_types=tuple(self.non_retryable_error_types or ()),
        )

    @staticmethod
    def _from_model(policy: model.RetryPolicy) -> RetryPolicy:
        return RetryPolicy(
            initial_interval=from_ms(policy.initial_interval_ms),
            backoff_coefficient=policy.backoff_coefficient,
            maximum_interval=optional_duration(policy.maximum_interval_ms),
            maximum_attempts=policy.maximum_attempts,
            non_retryable_error_types=policy.non_retryable_error_types or None,
        )
