"""Activities that can be sent to another process: top-level, and importable there."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from typing import Any

from streamflow import activity
from streamflow.exceptions import ApplicationError


@activity.defn
def where(name: str) -> list[Any]:
    info = activity.info()
    value = activity.payload_converter().from_payload(
        activity.payload_converter().to_payload(name), str
    )
    return [os.getpid(), info.activity_type, info.attempt, value, activity.in_activity()]


@activity.defn
def beat_then_fail() -> list[Any]:
    """Each attempt reports one more than it found, and the third succeeds."""
    found = [*activity.info().heartbeat_details]
    activity.heartbeat(*found, activity.info().attempt)
    if activity.info().attempt < 3:
        raise ApplicationError("not yet", "details", type="NotYet")
    return found


@activity.defn
def wait_until_stopped() -> str:
    activity.heartbeat("waiting")
    activity.wait_for_cancelled_sync(timedelta(seconds=20))
    if not activity.is_cancelled():
        return "never stopped"
    return "stopped"


@activity.defn
def wait_until_shutdown() -> str:
    activity.heartbeat("waiting")
    activity.wait_for_worker_shutdown_sync(20)
    return "shut down" if activity.is_worker_shutdown() else "never"


@activity.defn
def fail() -> None:
    raise ApplicationError("no", "why", type="Refused", non_retryable=True)


@activity.defn
def die() -> None:
    time.sleep(0.05)
    os._exit(3)


class Counter:
    """A callable object and a method, both picklable."""

    def __init__(self, start: int) -> None:
        self.start = start

    @activity.defn
    def add(self, more: int) -> int:
        return self.start + more


@activity.defn
class Doubler:
    def __call__(self, value: int) -> int:
        return value * 2
