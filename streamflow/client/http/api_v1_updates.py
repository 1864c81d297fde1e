"""The public HTTP API's words about updates; the rest are in `api_v1`."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from streamflow.client.calls.address import run_id_or_none
from streamflow.client.http.api_v1 import StartBody
from streamflow.model.commands import UpdateStage, UpdateWithStart, UpdateWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.payload import Payload, Payloads


class UpdateBody(msgspec.Struct, frozen=True, kw_only=True):
    """Asks the workflow's code to change something and answer. ``update_id`` makes a copy harmless.

    With ``start`` the workflow is started first, if that start's policies say so; its ``queue`` is then the one.
    """

    update_id: str
    update_name: str
    args: Payloads = ()
    run_id: str | None = None
    first_run_id: str | None = None
    headers: Mapping[str, Payload] = {}
    identity: str = ""
    wait_for: UpdateStage = UpdateStage.COMPLETED
    start: StartBody | None = None

    def command(self, workflow_id: str) -> UpdateWorkflow | UpdateWithStart:
        update = UpdateWorkflow(
            workflow_id=WorkflowId(workflow_id),
            run_id=run_id_or_none(self.run_id),
            first_run_id=run_id_or_none(self.first_run_id),
            update_id=self.update_id,
            update_name=self.update_name,
            args=self.args,
            headers=self.headers,
            identity=self.identity,
            wait_for=self.wait_for,
        )
        if self.start is None:
            return update
        start = self.start.command()
        return UpdateWithStart(workflow_id=update.workflow_id, start=start, update=update)

    @staticmethod
    def of(queue: str, command: UpdateWorkflow | UpdateWithStart) -> UpdateBody:
        start: StartBody | None = None
        update = command
        if isinstance(update, UpdateWithStart):
            start, update = StartBody.of(queue, update.start), update.update
        return UpdateBody(
            update_id=update.update_id,
            update_name=update.update_name,
            args=update.args,
            run_id=update.run_id,
            first_run_id=update.first_run_id,
            headers=update.headers,
            identity=update.identity,
            wait_for=update.wait_for,
            start=start,
        )
