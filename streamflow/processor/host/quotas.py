"""The quotas of this processor's queue, as the namespace's settings say: read at the start and looked for every 10 s.

Beside the turns, on a thread of its own where the log has threads: a leader that does not answer must hold no step up.
"""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

from streamflow.model import standalone
from streamflow.model.settings import NO_QUOTA, Quota
from streamflow.observability import get_logger
from streamflow.ports import Log, LogError, Unavailable
from streamflow.schedules import SCHEDULES_QUEUE
from streamflow.topology import SettingsReader, settings_topic
from streamflow.wire.errors import Undecodable

log = get_logger("processor")

LOOK_MS: Final = 10_000
FIRST_LOOK_S: Final = 2.0
"""For so long the first start waits for the first look; then it is decided without quotas."""
OURS: Final = frozenset((SCHEDULES_QUEUE, standalone.QUEUE))
"""Queues of streamflow's own workflows: bound only by quotas that name them."""


class Found(NamedTuple):
    quota: Quota
    own: bool
    """Whether the queue has quotas of its own."""


class Quotas:
    def __init__(self, log_: Log, namespace: str, queue: str) -> None:
        self._log = log_
        self._queue = queue
        self._settings = SettingsReader(log_, namespace)
        self._looked_ms = -LOOK_MS
        self._told = False
        self._looking: threading.Thread | None = None
        self._looked = threading.Event()
        self._ended = threading.Event()
        self.topic = settings_topic(namespace)
        self._found = Found(NO_QUOTA, own=False)

    @property
    def found(self) -> Found:
        """As of the last look. The first is waited for by who asks first: a process that comes back has other things to do."""
        if self._looking is not None and not self._looked.is_set():
            self._looked.wait(FIRST_LOOK_S)
            self._looked.set()
        return self._found

    def refresh(self) -> None:
        """Begins to look for changes; without threads, looks if the last time is long ago."""
        if self._log.threaded:
            if self._looking is None:
                self._looking = threading.Thread(
                    target=self._look_on, name="streamflow-quotas", daemon=True
                )
                self._looking.start()
            return
        now_ms = self._log.clock.monotonic_ms()
        if now_ms - self._looked_ms >= LOOK_MS:
            self._looked_ms = now_ms
            self._look()

    def close(self) -> None:
        self._ended.set()
        if self._looking is None:
            self._settings.close()
        else:
            self._looking.join(FIRST_LOOK_S)

    def _look_on(self) -> None:
        try:
            while not self._ended.is_set():
                self._look()
                self._looked.set()
                self._ended.wait(LOOK_MS / 1_000)
        except Exception:
            if not self._ended.is_set():  # else the log was closed under a look that took long
                raise
        finally:
            self._settings.close()

    def _look(self) -> None:
        """What cannot be read leaves the quotas as they were."""
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
        if quota != self._found.quota:
            log.info(
                "quotas_changed",
                open_workflows_max=quota.open_workflows_max,
                starts_per_second=quota.starts_per_second,
            )
        self._found = Found(quota, entry is not None and self._queue in entry.queue_quotas)
