"""How functions that workflow code calls find the instance they are called for: through the running loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from streamflow.coroutine.errors import NotInWorkflowError
from streamflow.coroutine.loop import WorkflowLoop

if TYPE_CHECKING:
    from streamflow.coroutine.instance import Instance

_get_running_loop = asyncio._get_running_loop


def current() -> Instance:
    """The instance whose code is running.

    Raises:
        NotInWorkflowError: the caller is not workflow code.
    """
    loop = _get_running_loop()
    if type(loop) is WorkflowLoop:
        return cast("Instance", loop.owner)
    raise NotInWorkflowError(
        "Not in workflow event loop: expected to be called from workflow code, found none running here; activities have "
        "streamflow.activity, and starters of workflows streamflow.client"
    )


def current_or_none() -> Instance | None:
    loop = _get_running_loop()
    return cast("Instance", loop.owner) if type(loop) is WorkflowLoop else None
