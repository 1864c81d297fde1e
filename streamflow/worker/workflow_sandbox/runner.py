"""The runner under whose name ported code asks for a sandbox: it runs workflows guarded, as its restrictions say."""

from __future__ import annotations

from dataclasses import dataclass

from streamflow.coroutine.guarding import GUARDED, Guarding
from streamflow.worker.runners import UnsandboxedWorkflowRunner, WorkflowRunner
from streamflow.worker.workflow_sandbox.restrictions import SandboxRestrictions


@dataclass(frozen=True)
class SandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflows guarded. ``runner_class`` is accepted and has no effect."""

    restrictions: SandboxRestrictions = SandboxRestrictions.default
    runner_class: type[WorkflowRunner] = UnsandboxedWorkflowRunner

    def _guarding(self) -> Guarding:
        return GUARDED if self is SANDBOXED else self.restrictions._guarding()


SANDBOXED = SandboxedWorkflowRunner()
"""How workers run workflows that are given no runner: guarded, and without the warnings that ported code may expect."""
UNSANDBOXED = UnsandboxedWorkflowRunner()
