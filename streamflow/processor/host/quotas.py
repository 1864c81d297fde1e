"""The quotas of this processor's queue, as the namespace's settings say: read at the start and looked for every 10 s."""

from __future__ import annotations

from typing import Final

from streamflow.model import standalone
from streamflow.model.settings import NO_QUOTA, Quota
from streamflow.observability import get_logger
from streamflow.ports import Log, LogError, Unavailable
from streamflow.schedules import SCHEDULES_QUEUE
from streamflow.topology import SettingsReader, settings_topic
from streamflow.wire.errors import Undecodable

log = get_logger("processor")

LOOK_MS: Final = 10_000
OURS: Final = frozenset((SCHEDULES_QUEUE, standalone.QUEUE))
"""Queues of streamflow's own workflows: bound only by quotas that name them."""


class Quotas:
    def __init__(self, log_: Log, namespace: str, queue: str) -> None:
        self._log = log_
        self._queue = queue
        self._settings = SettingsReader(log_, namespace)
        self._looked_ms = -LOOK_MS
        self._told = False
        self.topic = settings_topic(namespace)
        self.quota: Quota = NO_QUOTA
        self.own = False
        """Whether the queue has quotas of its own."""

    def refresh(self) -> None:
        """Looks for changes, if the last look is old. What cannot be read leaves the quotas as they were."""
        now_ms = self._log.clock.monotonic_ms()
        if now_ms - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = now_ms
        try:
            entry = self._settings.read().namespace
        except Unavailable as error:
            log.info("quotas_not_read", reason=str(error))
            return
        except (LogError, Undecodable) as error:
            if not self._told:
                self._told = True
                log.warning(
                    "quotas_not_read",
                    reason=str(error),
                    advice=f"Quotas of the namespace are not enforced as they are now: let this processor read {self.topic}.",
                )
            return
        self._told = False
        quota = NO_QUOTA if entry is None else entry.quota_of(self._queue, ours=self._queue in OURS)
        self.own = entry is not None and self._queue in entry.queue_quotas
        if quota != self.quota:
            log.info(
                "quotas_changed",
                open_workflows_max=quota.open_workflows_max,
                starts_per_second=quota.starts_per_second,
            )
        self.quota = quota

    def close(self) -> None:
        self._settings.close()
