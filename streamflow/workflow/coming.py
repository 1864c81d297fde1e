"""Names of the API that this version has and does not do yet: each says so when it is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


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
