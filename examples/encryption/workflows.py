"""A workflow with secrets; it knows nothing of encryption."""

from __future__ import annotations

from datetime import timedelta

from streamflow import activity, workflow
from streamflow.exceptions import ApplicationError


@activity.defn
async def ask_a_doctor(symptom: str) -> str:
    if symptom == "nothing":
        raise ApplicationError("Not ill at all: nothing", non_retryable=True)
    return f"rest, for {symptom}"


@workflow.defn
class Diagnose:
    @workflow.run
    async def run(self, symptom: str) -> str:
        return await workflow.execute_activity(
            ask_a_doctor, symptom, start_to_close_timeout=timedelta(seconds=10)
        )
