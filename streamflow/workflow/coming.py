"""Names of the API that this version has and does not do yet: each says so when it is called."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Generic, NoReturn, TypeVar

from streamflow.absent import refuse_nexus

ServiceT = TypeVar("ServiceT")
OutputT = TypeVar("OutputT")


def not_yet(name: str) -> Callable[..., NoReturn]:
    """A function that raises NotImplementedError in this name."""

    def function(*args: object, **kwargs: object) -> NoReturn:
        raise NotImplementedError(
            f"Expected a function of this version of streamflow, found workflow.{name}(), which is not supported yet"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Not supported yet: raises NotImplementedError."
    return function


create_nexus_client = not_yet("create_nexus_client")


class NexusClient(Generic[ServiceT]):
    """For hints only: there is no Nexus here."""

    def __init__(self, *_args: object, **_options: object) -> None:
        refuse_nexus("workflow.NexusClient")


class NexusOperationHandle(Generic[OutputT]):
    """For hints only: there is no Nexus here."""

    def __init__(self, *_args: object, **_options: object) -> None:
        refuse_nexus("workflow.NexusOperationHandle")


class NexusOperationCancellationType(IntEnum):
    """What would be waited for; nothing takes it."""

    WAIT_COMPLETED = 0
    ABANDON = 1
    TRY_CANCEL = 2
    WAIT_REQUESTED = 3
