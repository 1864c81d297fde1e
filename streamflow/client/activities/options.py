"""Options of an activity that has begun: which there are, how a change is said, and what they are after it.

handle = client.get_activity_handle("report-7")
now = await handle.update_options([ActivityOptionsKeys.start_to_close_timeout.value_set(timedelta(minutes=5))])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar, Generic, TypeVar

from streamflow.common import Priority, RetryPolicy
from streamflow.common.durations import optional_ms
from streamflow.model.activity_options import ActivityOption, ActivityOptions, OptionsChange
from streamflow.model.answers import Done
from streamflow.model.options import ActivityTimeouts

T = TypeVar("T")


@dataclass(frozen=True)
class ActivityOptionsKey(Generic[T]):
    """One option that can be changed. Taken from `ActivityOptionsKeys`, not made."""

    name: str
    option: ActivityOption

    def value_set(self, value: T) -> ActivityOptionsUpdate[T]:
        """Makes the option this."""
        return ActivityOptionsUpdate(self, value)

    def value_unset(self) -> ActivityOptionsUpdate[T]:
        """Clears the option: no limit, no delay, the default policy. A task queue cannot be cleared."""
        return ActivityOptionsUpdate(self, None)


@dataclass(frozen=True)
class ActivityOptionsUpdate(Generic[T]):
    """A change of one option, as a key's `value_set` or `value_unset` makes it."""

    key: ActivityOptionsKey[T]
    value: T | None
    """``None`` clears it."""


class ActivityOptionsKeys:
    """What `ActivityHandle.update_options` can change."""

    task_queue: ClassVar[ActivityOptionsKey[str]] = ActivityOptionsKey(
        "task_queue.name", ActivityOption.QUEUE
    )
    schedule_to_close_timeout: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey(
        "schedule_to_close_timeout", ActivityOption.SCHEDULE_TO_CLOSE
    )
    schedule_to_start_timeout: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey(
        "schedule_to_start_timeout", ActivityOption.SCHEDULE_TO_START
    )
    start_to_close_timeout: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey(
        "start_to_close_timeout", ActivityOption.START_TO_CLOSE
    )
    heartbeat_timeout: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey(
        "heartbeat_timeout", ActivityOption.HEARTBEAT
    )
    start_delay: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey(
        "start_delay", ActivityOption.START_DELAY
    )
    retry_policy: ClassVar[ActivityOptionsKey[RetryPolicy]] = ActivityOptionsKey(
        "retry_policy", ActivityOption.RETRY_POLICY
    )
    retry_initial_interval: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey(
        "retry_policy.initial_interval", ActivityOption.RETRY_INITIAL_INTERVAL
    )
    retry_backoff_coefficient: ClassVar[ActivityOptionsKey[float]] = ActivityOptionsKey(
        "retry_policy.backoff_coefficient", ActivityOption.RETRY_BACKOFF_COEFFICIENT
    )
    retry_maximum_interval: ClassVar[ActivityOptionsKey[timedelta]] = ActivityOptionsKey(
        "retry_policy.maximum_interval", ActivityOption.RETRY_MAXIMUM_INTERVAL
    )
    retry_maximum_attempts: ClassVar[ActivityOptionsKey[int]] = ActivityOptionsKey(
        "retry_policy.maximum_attempts", ActivityOption.RETRY_MAXIMUM_ATTEMPTS
    )
    priority: ClassVar[ActivityOptionsKey[Priority]] = ActivityOptionsKey(
        "priority", ActivityOption.PRIORITY
    )


@dataclass(frozen=True, kw_only=True)
class ActivityExecutionOptions:
    """An activity's options as they are now. ``None`` is not set."""

    task_queue: str
    schedule_to_close_timeout: timedelta | None
    schedule_to_start_timeout: timedelta | None
    start_to_close_timeout: timedelta | None
    heartbeat_timeout: timedelta | None
    retry_policy: RetryPolicy
    priority: Priority
    start_delay: timedelta | None


def change_of(updates: Sequence[object]) -> OptionsChange:
    """What the log is told. Of several changes of one option the last counts.

    Raises:
        TypeError: something among them is no change.
        ValueError: a value is none that the option can have.
    """
    values: dict[ActivityOption, Any] = {}
    for update in updates:
        if not isinstance(update, ActivityOptionsUpdate):
            raise TypeError(
                "Expected changes such as ActivityOptionsKeys.heartbeat_timeout.value_set(...), "
                f"found {update!r}"
            )
        values[update.key.option] = update.value  # pyright: ignore[reportUnknownMemberType]  # of any option
    policy = values.get(ActivityOption.RETRY_POLICY) or RetryPolicy()
    policy = RetryPolicy(
        initial_interval=values.get(ActivityOption.RETRY_INITIAL_INTERVAL)
        or policy.initial_interval,
        backoff_coefficient=values.get(ActivityOption.RETRY_BACKOFF_COEFFICIENT)
        or policy.backoff_coefficient,
        maximum_interval=values.get(ActivityOption.RETRY_MAXIMUM_INTERVAL)
        or policy.maximum_interval,
        maximum_attempts=values.get(ActivityOption.RETRY_MAXIMUM_ATTEMPTS)
        or policy.maximum_attempts,
        non_retryable_error_types=policy.non_retryable_error_types,
    )
    priority: Priority = values.get(ActivityOption.PRIORITY) or Priority.default
    to = ActivityOptions(
        queue=values.get(ActivityOption.QUEUE) or "",
        timeouts=ActivityTimeouts(
            schedule_to_close_ms=optional_ms(values.get(ActivityOption.SCHEDULE_TO_CLOSE)),
            schedule_to_start_ms=optional_ms(values.get(ActivityOption.SCHEDULE_TO_START)),
            start_to_close_ms=optional_ms(values.get(ActivityOption.START_TO_CLOSE)),
            heartbeat_ms=optional_ms(values.get(ActivityOption.HEARTBEAT)),
        ),
        retry_policy=policy._to_model(),
        **priority._to_model(),
        start_delay_ms=optional_ms(values.get(ActivityOption.START_DELAY)) or 0,
    )
    return OptionsChange(which=tuple(values), to=to)


def changed_options(done: Done) -> ActivityOptions:
    """As the answer has them. A processor from before options could be changed reads the command as none of its own."""
    assert done.activity_options is not None, done
    return done.activity_options


def options_of(options: ActivityOptions) -> ActivityExecutionOptions:
    """As the user sees them."""
    timeouts = options.timeouts
    return ActivityExecutionOptions(
        task_queue=options.queue,
        schedule_to_close_timeout=_duration(timeouts.schedule_to_close_ms),
        schedule_to_start_timeout=_duration(timeouts.schedule_to_start_ms),
        start_to_close_timeout=_duration(timeouts.start_to_close_ms),
        heartbeat_timeout=_duration(timeouts.heartbeat_ms),
        retry_policy=RetryPolicy._from_model(options.retry_policy),
        priority=Priority._from_model(options),
        start_delay=_duration(options.start_delay_ms or None),
    )


def _duration(milliseconds: int | None) -> timedelta | None:
    return None if milliseconds is None else timedelta(milliseconds=milliseconds)
