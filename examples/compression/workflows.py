"""A workflow with large values; it knows nothing of compression."""

from __future__ import annotations

from datetime import timedelta

from streamflow import activity, workflow


@activity.defn
async def shorten(report: str) -> str:
    """The first words, as a machine would choose them."""
    return " ".join(report.split()[:5])


@workflow.defn
class Summarize:
    """Returns a report's summary; the report itself can be asked for."""

    def __init__(self) -> None:
        self._report = ""

    @workflow.run
    async def run(self, report: str) -> str:
        self._report = report
        return await workflow.execute_activity(
            shorten, report, start_to_close_timeout=timedelta(seconds=10)
        )

    @workflow.query
    def report(self) -> str:
        return self._report
