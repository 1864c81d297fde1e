"""How often, and how soon, a failed attempt is made again. Durations are `timedelta`; the log keeps milliseconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from streamflow.api.common.v1 import RetryPolicy as RetryPolicyMessage
from streamflow.common.durations import from_ms, optional_ms
from streamflow.model import options as model
from streamflow.model.bounds import DURATION_MS_MAX


@dataclass
class RetryPolicy:
    """How often and how soon a failed attempt is made again.

    The wait before retry ``n`` is ``initial_interval * backoff_coefficient ** (n - 1)``, at most ``maximum_interval``.
    """

    initial_interval: timedelta = timedelta(seconds=1)
    """0 is the default too."""
    backoff_coefficient: float = 2.0
    maximum_interval: timedelta | None = None
    """Default: 100 times the initial interval."""
    maximum_attempts: int = 0
    """0 is without limit; 1 is no retry."""
    non_retryable_error_types: Sequence[str] | None = None
    """Class names, or the ``type`` of an `ApplicationError`, that end the attempts at once."""

    @staticmethod
    def from_proto(proto: RetryPolicyMessage) -> RetryPolicy:
        """Of the message."""
        longest = proto.maximum_interval
        return RetryPolicy(
            initial_interval=proto.initial_interval.ToTimedelta(),
            backoff_coefficient=proto.backoff_coefficient,
            maximum_interval=longest.ToTimedelta() if proto.HasField("maximum_interval") else None,
            maximum_attempts=proto.maximum_attempts,
            non_retryable_error_types=list(proto.non_retryable_error_types) or None,
        )

    def apply_to_proto(self, proto: RetryPolicyMessage) -> None:
        """Sets the message's fields. Raises ValueError for a policy that could not be followed."""
        self._validate()
        proto.initial_interval.FromTimedelta(self.initial_interval)
        proto.backoff_coefficient = self.backoff_coefficient
        proto.maximum_interval.FromTimedelta(self.maximum_interval or self.initial_interval * 100)
        proto.maximum_attempts = self.maximum_attempts
        if self.non_retryable_error_types:
            proto.non_retryable_error_types.extend(self.non_retryable_error_types)

    def _validate(self) -> None:
        """Raises ValueError for a policy that could not be followed. One attempt alone has no retries to look at."""
        if self.maximum_attempts == 1:
            return
        if self.initial_interval < timedelta(0):
            raise ValueError(
                f"Initial interval cannot be negative, found initial_interval={self.initial_interval}"
            )
        if self.backoff_coefficient < 1:
            raise ValueError(
                f"Backoff coefficient cannot be less than 1, found backoff_coefficient={self.backoff_coefficient}"
            )
        if self.maximum_interval is not None and self.maximum_interval < timedelta(0):
            raise ValueError(
                f"Maximum interval cannot be negative, found maximum_interval={self.maximum_interval}"
            )
        if self.maximum_interval and self.maximum_interval < self.initial_interval:
            raise ValueError(
                f"Maximum interval cannot be less than initial interval ({self.initial_interval}), "
                f"found maximum_interval={self.maximum_interval}"
            )
        if self.maximum_attempts < 0:
            raise ValueError(
                "Maximum attempts cannot be negative; 0 is without limit, "
                f"found maximum_attempts={self.maximum_attempts}"
            )

    def _to_model(self) -> model.RetryPolicy:
        self._validate()
        default = model.RetryPolicy()
        return model.RetryPolicy(
            initial_interval_ms=_bounded_ms(self.initial_interval) or default.initial_interval_ms,
            backoff_coefficient=float(self.backoff_coefficient),
            maximum_interval_ms=_bounded_ms(self.maximum_interval) or None,
            maximum_attempts=self.maximum_attempts,
            non_retryable_error_types=tuple(self.non_retryable_error_types or ()),
        )

    @staticmethod
    def _from_model(policy: model.RetryPolicy) -> RetryPolicy:
        """As running code is told of it: with the longest wait also where it is the default."""
        longest_ms = policy.maximum_interval_ms or 100 * policy.initial_interval_ms
        return RetryPolicy(
            initial_interval=from_ms(policy.initial_interval_ms),
            backoff_coefficient=policy.backoff_coefficient,
            maximum_interval=from_ms(longest_ms),
            maximum_attempts=policy.maximum_attempts,
            non_retryable_error_types=list(policy.non_retryable_error_types) or None,
        )


def _bounded_ms(interval: timedelta | None) -> int:
    """No wait is that long: a longer one may be said, and is not recorded."""
    return min(max(0, optional_ms(interval) or 0), DURATION_MS_MAX)
