"""Names of the model's API that mean nothing on Kafka: using one raises, and says what to use instead."""

from __future__ import annotations

from typing import NoReturn


class NoCounterpartError(NotImplementedError):
    """A name of the model's API that means nothing on Kafka; the message says what to use instead."""

    def __init__(self, what: str, instead: str) -> None:
        super().__init__(f"{what} has no counterpart in streamflow: {instead}")


def refuse_nexus(what: str) -> NoReturn:
    raise NoCounterpartError(
        what,
        "start a workflow on the other team's task queue, or publish to a topic that it reads",
    )


def refuse_build_ids(what: str) -> NoReturn:
    raise NoCounterpartError(
        what,
        "give workers a WorkerDeploymentConfig and workflows a versioning_behavior, or guard changes with patched()",
    )
