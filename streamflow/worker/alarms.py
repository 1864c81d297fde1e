"""What a processor counts, as metrics: what operators put alarms on, how much it does, and how much of it is restored."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Final

from streamflow.processor.state.partition import State

if TYPE_CHECKING:
    from streamflow.processor import Processor
    from streamflow.processor.partitions.standby import Standby
    from streamflow.worker.setup import Setup

COUNTED: Final = {
    "transactions": ("transactions", "transactions committed"),
    "aborted": ("transactions_aborted", "transactions that did not happen"),
    "unknown": ("transactions_unknown", "transactions whose outcome had to be found out"),
    "fenced": ("fenced", "times that another process had what this one had"),
    "torn": ("torn_transactions", "transactions that the history has lost"),
    "gaps": ("history_gaps", "runs with a broken history, at each restore of their partition"),
    "quarantined": (
        "quarantined",
        "times that a run was put aside, for its code or for a fault of the engine",
    ),
    "stuck": ("stuck_steps", "steps that did not end well, each time they are tried"),
    "starts_refused": ("starts_refused", "starts that were refused for a quota"),
    "dead_letters": ("dead_letters", "records that were put into the dead-letter topic"),
    "passed_over": (
        "passed_over_records",
        "records that the log did not even take as dead letters",
    ),
    "expired_input": (
        "expired_input_records",
        "records that retention took before anyone had read them",
    ),
    "forwarded": (
        "misplaced_records",
        "records that arrived on a partition where their workflow does not live",
    ),
    "snapshots_taken": ("snapshots", "copies of a partition's local state that were put away"),
    "snapshots_failed": ("snapshots_failed", "copies of local state that could not be put away"),
    "snapshots_loaded": ("snapshots_loaded", "partitions that were begun with a copy"),
    "snapshots_refused": (
        "snapshots_refused",
        "copies that were damaged, of another log, or otherwise not to be used",
    ),
    "snapshot_bytes": ("snapshot_bytes", "bytes of copies that were put away"),
    "archived": ("archived", "closed runs that were archived before their deletion"),
    "archive_failed": (
        "archive_failed",
        "closed runs that could not be archived, at each attempt; they are kept",
    ),
    "unwritable": (
        "store_unwritable",
        "times that the disk of the state folder took nothing more",
    ),
    "foreign": ("foreign_records", "records in the history that are damaged, or not ours"),
}
"""Name and description of the metric, by the name among `processor.host.surroundings.Counters`."""

GAUGES: Final = {
    "partitions": "partitions that this process has been given",
    "partitions_active": "those of them that are restored, and work",
}

_values_of = attrgetter(*COUNTED)


class Counted:
    """A processor whose counters are told to the worker's meter after each turn. A `Machine`, as the processor is."""

    def __init__(self, processor: Processor, setup: Setup) -> None:
        self._processor = processor
        runtime = setup.client.runtime
        meter = runtime.metric_meter.with_additional_attributes(
            {"namespace": setup.client.namespace, "task_queue": setup.queue}
        )
        self._counters = [
            meter.create_counter(runtime.metric_prefix + name, description)
            for name, description in COUNTED.values()
        ]
        self._told = (0,) * len(COUNTED)
        self._gauges = [
            meter.create_gauge(runtime.metric_prefix + name, description)
            for name, description in GAUGES.items()
        ]
        self._shown = (0, 0)

    def open(self) -> None:
        self._processor.open()
        # All of them are there from the beginning, so that an alarm can tell "none" from "not measured".
        for counter in self._counters:
            counter.add(0)
        for gauge in self._gauges:
            gauge.set(0)

    def turn(self) -> int | None:
        try:
            return self._processor.turn()
        finally:
            self._tell()

    def close(self) -> None:
        try:
            self._processor.close()
        finally:
            self._tell()

    def _tell(self) -> None:
        self._show()
        values = _values_of(self._processor.counters)
        if values == self._told:
            return
        for counter, before, now in zip(self._counters, self._told, values, strict=True):
            if now != before:
                counter.add(now - before)
        self._told = values

    def _show(self) -> None:
        partitions = self._processor.partitions
        active = sum(one.state is State.ACTIVE for one in partitions.values())
        shown = (len(partitions), active)
        if shown == self._shown:
            return
        for gauge, value in zip(self._gauges, shown, strict=True):
            gauge.set(value)
        self._shown = shown


class Following:
    """A standby that tells the worker's meter how far behind it is. A `Machine`, as the standby is."""

    def __init__(self, standby: Standby, setup: Setup) -> None:
        self._standby = standby
        runtime = setup.client.runtime
        meter = runtime.metric_meter.with_additional_attributes(
            {"namespace": setup.client.namespace, "task_queue": setup.queue}
        )
        prefix = runtime.metric_prefix
        self._partitions = meter.create_gauge(
            prefix + "standby_partitions", "partitions of others that are followed"
        )
        self._lag = meter.create_gauge(
            prefix + "standby_lag",
            "records of its history that the partition which is furthest behind has still to follow",
        )

    def open(self) -> None:
        self._standby.open()

    def turn(self) -> int | None:
        try:
            return self._standby.turn()
        finally:
            lag = self._standby.lag.copy()
            self._partitions.set(len(lag))
            self._lag.set(max(lag.values(), default=0))

    def close(self) -> None:
        self._standby.close()
