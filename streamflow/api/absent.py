"""Messages of a server's API, under names that ported code imports: importing one works, making one says what to use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class AbsentMessage:
    """Cannot be made: there is no server that would take it."""

    def __init__(self, *_args: Any, **_fields: Any) -> None:
        name = type(self).__name__
        raise NotImplementedError(
            f"Expected a call of streamflow.client.Client, found {name}, a message of a server's API: there is no server "
            "here. docs/coming-from-temporal.md names what takes its place"
        )


def absent_messages(module: str) -> Callable[[str], type[AbsentMessage]]:
    """A ``__getattr__`` for a module of such messages."""
    made: dict[str, type[AbsentMessage]] = {}

    def __getattr__(name: str) -> type[AbsentMessage]:  # what the module calls it
        if not name[:1].isupper():
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        if name not in made:
            made[name] = type(name, (AbsentMessage,), {"__module__": module})
        return made[name]

    return __getattr__
