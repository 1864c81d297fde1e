"""What processors report in ``{ns}.processes`` while they restore or stand by, found by whoever shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from streamflow.model.processes import ProcessReport, RestoreReport
from streamflow.ports import Log, OutRecord, TopicPartition
from streamflow.topology.names import processes_topic
from streamflow.topology.serving import Share
from streamflow.wire import entities
from streamflow.wire.errors import Undecodable

REPORT_EVERY_S: Final = 5.0
FRESH_MS: Final = 30_000
"""A report that is older says nothing any more: its process may have gone."""
READ_MAX: Final = 5_000
"""Records that are looked at, the latest: a thousand processors that all report, for as long as reports are fresh."""


def report_record(namespace: str, report: ProcessReport) -> OutRecord:
    key = f"{report.queue}/{report.instance}".encode()
    return OutRecord(processes_topic(namespace), 0, key, entities.encode(report))


def fresh_reports(
    log: Log, namespace: str, queue: str, *, now_ms: int
) -> Mapping[str, ProcessReport]:
    """The latest of each of the queue's processors that has reported lately, by instance; empty where there is no such topic."""
    topic = processes_topic(namespace)
    if topic not in log.topics():
        return {}
    place = TopicPartition(topic, 0)
    found: dict[str, ProcessReport] = {}
    reader = log.reader()
    try:
        end = reader.end_offset(place)
        start = max(reader.start_offset(place), end - READ_MAX)
        for batch in reader.read(place, start, end):
            for record in batch:
                if now_ms - record.timestamp_ms > FRESH_MS:
                    continue
                try:
                    report = entities.decode_as(ProcessReport, record.value or b"")
                except Undecodable:
                    continue  # whoever may write the topic may write anything
                if report.queue == queue:
                    found[report.instance] = report
        return found
    finally:
        reader.close()


def restore_of(share: Share, reports: Mapping[str, ProcessReport]) -> RestoreReport | None:
    """How far its owner has restored it; ``None`` where it has, or says nothing."""
    report = reports.get(share.member or "")
    if report is None or share.role != "processor":
        return None
    return next((one for one in report.restoring if one.partition == share.partition), None)


def standbys_of(share: Share, reports: Mapping[str, ProcessReport]) -> list[tuple[str, int]]:
    """Who stands by for it, and how far behind each is."""
    if share.role != "processor":
        return []
    return sorted(
        (report.instance, one.lag)
        for report in reports.values()
        for one in report.standby
        if one.partition == share.partition and report.instance != share.member
    )
