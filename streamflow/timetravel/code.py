"""The workflow code that is at hand for replays, with the converter and the interceptors that belong to it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streamflow.converter import DataConverter
from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.worker.interceptor import Interceptor
from streamflow.worker.runners import run_by
from streamflow.worker.setup import definitions_of
from streamflow.worker.versions import canonical
from streamflow.worker.workflow_sandbox.runner import SANDBOXED, UNSANDBOXED


class NoCode(LookupError):
    """There is no code of this workflow type here; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class CodeAtHand:
    """Workflows of one namespace, as a worker of theirs would run them."""

    namespace: str
    definitions: Mapping[str, WorkflowDefinition]
    """By type; a dynamic one is under the empty name."""
    converter: DataConverter
    interceptors: Sequence[Interceptor] = ()
    guarded: bool = True
    version: str = ""
    """As its worker would write it: ``deployment.build``, or the build alone; empty where it has none."""
    loaded_s: float = field(default_factory=time.time)
    """When it was loaded, in seconds since the epoch: files may have been changed since."""

    @staticmethod
    def of_worker(
        workflows: Sequence[type],
        *,
        namespace: str,
        data_converter: DataConverter = DataConverter.default,
        options: Mapping[str, Any] | None = None,
    ) -> CodeAtHand:
        """``options`` are those of the worker (or App) that runs them: interceptors, runners, failure types, plugins.

        Raises:
            ValueError: a class is no workflow, or two have one name.
        """
        given: Mapping[str, Any] = {
            **(options or {}),
            "workflows": workflows,
            "data_converter": data_converter,
            "namespace": namespace,
        }
        for plugin in given.get("plugins", ()):
            given = plugin.configure_replayer(dict(given))
        definitions = definitions_of(
            given["workflows"], given.get("workflow_failure_exception_types", ())
        )
        return CodeAtHand(
            namespace=namespace,
            definitions=run_by(
                definitions,
                given.get("workflow_runner", SANDBOXED),
                given.get("unsandboxed_workflow_runner", UNSANDBOXED),
            ),
            converter=given["data_converter"],
            interceptors=given.get("interceptors", ()),
            guarded=not given.get("debug_mode", False),
            version=canonical(given.get("deployment_config")) or given.get("build_id") or "",
        )

    def definition_of(self, workflow_type: str) -> WorkflowDefinition:
        """Raises `NoCode` when there is none."""
        found = self.definitions.get(workflow_type) or self.definitions.get("")
        if found is None:
            known = ", ".join(sorted(self.definitions)) or "none"
            raise NoCode(
                f"Expected the code of workflow type {workflow_type!r} in this process, found {known}. Open the UI of a "
                "`streamflow dev` that runs it, or download the log: `streamflow replay FILE MODULE:APP --web` shows the same"
            )
        return found


def short_file(path: str) -> str:
    """Relative to where the process runs, if it lies there: what an editor opens."""
    here = os.getcwd() + os.sep
    return path.removeprefix(here)
