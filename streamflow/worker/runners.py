"""How workflow code is run: guarded, or not. Runners of one's own are not supported, as a step is not a protobuf here."""

from __future__ import annotations

import dataclasses
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.coroutine.guarding import UNGUARDED, Guarding


class WorkflowRunner(ABC):  # noqa: B024  # nobody but us gives it methods
    """How a worker runs the code of its workflows. Give one of the two kinds that there are."""

    def _guarding(self) -> Guarding:
        raise NotImplementedError(
            f"Expected a SandboxedWorkflowRunner or an UnsandboxedWorkflowRunner, found {type(self).__name__}: runners "
            "of one's own are not supported; watch a run by interceptors, or by its history"
        )


@dataclass(frozen=True)
class UnsandboxedWorkflowRunner(WorkflowRunner):
    """Runs workflows without guards: that they replay alike is then their authors' care."""

    def _guarding(self) -> Guarding:
        return UNGUARDED


class WorkflowInstance(ABC):  # noqa: B024  # as above
    """Stands for the name in ported code; there is nothing to be done with it."""

    def __init__(self, *args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError("Expected no instance of one's own, as nothing would run it")


class WorkflowInstanceDetails:
    """Stands for the name in ported code; there is nothing to be done with it."""


def run_by(
    definitions: Mapping[str, WorkflowDefinition],
    runner: WorkflowRunner | None,
    unsandboxed: WorkflowRunner | None,
) -> dict[str, WorkflowDefinition]:
    """The definitions as the worker's runners run them: the second those with ``sandboxed=False``.

    Raises:
        NotImplementedError: a runner is of the user's own making.
    """
    guarded = None if runner is None else runner._guarding()
    free = UNGUARDED if unsandboxed is None else unsandboxed._guarding()
    return {
        name: dataclasses.replace(
            definition,
            guarding=(guarded or definition.guarding) if definition.guarding.on else free,
        )
        for name, definition in definitions.items()
    }
