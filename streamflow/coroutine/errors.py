"""What can go wrong between workflow code and its history. Those that user code must not catch derive from BaseException.

CodeFailed           workflow code raised something that is no failure: the run is stuck, not failed
NondeterminismError  code and history do not fit together
Evicted, StepLimitExceeded, ContinueAsNewError   pass through ``except Exception``
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Protocol, runtime_checkable

from streamflow.exceptions import StreamflowError
from streamflow.model.failure import NONDETERMINISM_SAID
from streamflow.model.intents import ContinueAsNew

if TYPE_CHECKING:
    from streamflow.coroutine.source import Place
    from streamflow.model.events import Recorded
    from streamflow.model.intents import Intent


class CodeFailed(Exception):
    """Workflow code raised what is not a failure type. The instance is unusable; replay a new one and try again.

    ``exception`` (also ``__cause__``) is what it raised, with its traceback.
    """

    def __init__(self, exception: BaseException) -> None:
        super().__init__(f"{type(exception).__name__}: {exception}")
        self.exception = exception
        self.__cause__ = exception


class Sides(NamedTuple):
    """What a history says of a step, and what the code asked for in it."""

    expected: tuple[Recorded, ...]
    found: tuple[Intent, ...]
    places: tuple[Place | None, ...]
    """Where in the code each of ``found`` was asked for."""
    at: int
    """The first place, in both, where they differ."""


class NondeterminismError(StreamflowError):
    """The code does not do what its history says it did."""

    sides: Sides | None = None
    """``None`` where the difference is no matter of what was asked for."""

    def __str__(self) -> str:
        return NONDETERMINISM_SAID + super().__str__()


class RestrictedWorkflowAccessError(NondeterminismError, RuntimeError):
    """Workflow code did what would come out differently on replay. Nothing was done; the message says what to use.

    ``qualified_name`` is what it used, as ``module.member``.
    """

    def __init__(self, qualified_name: str, *, override_message: str | None = None) -> None:
        super().__init__(override_message or self.default_message(qualified_name))
        self.qualified_name = qualified_name

    __str__ = Exception.__str__

    @staticmethod
    def default_message(qualified_name: str) -> str:
        return (
            f"Cannot access {qualified_name} from inside a workflow: it would come out differently on replay. Do it in "
            "an activity, or import its module inside of workflow.unsafe.imports_passed_through()"
        )


class ReadOnlyContextError(StreamflowError):
    """A query handler, a validator or a waiting condition tried to change the run."""


class NotInWorkflowError(StreamflowError, RuntimeError):
    """A function of `streamflow.workflow` was called outside workflow code."""


class QueryNotFound(LookupError):
    """The run has no handler for this query."""


class _WorkflowBeingEvictedError(BaseException):
    """Thrown into what an instance has running when it is taken down: the run goes on elsewhere, or is closed."""


Evicted = _WorkflowBeingEvictedError


class ContinueAsNewError(BaseException):
    """Raised by ``continue_as_new`` to leave the code; not to be caught."""

    def __init__(self, intent: ContinueAsNew) -> None:
        super().__init__("Continue as new")
        self.intent = intent


@runtime_checkable
class Interruptible(Protocol):
    """A loop that ends its step when it finds itself marked."""

    interrupted: StepLimitExceeded | None


class StepLimitExceeded(BaseException):
    """Raised into a step's thread by a watchdog. The step ends with it even if the code swallows it.

    It marks the running loop when it is made, as a task would keep it to itself.
    """

    limit_s: ClassVar[float] = 0.0
    """The CPU time that the step had; set by `of_limit`, as what is raised into a thread is a class."""

    def __init__(self, *args: object) -> None:
        within = f" within {self.limit_s:g} second(s)" if self.limit_s else ""
        said = f"[TMPRL1101] Potential deadlock detected: workflow didn't yield{within}."
        super().__init__(*(args or (said,)))
        loop: object = asyncio._get_running_loop()
        if isinstance(loop, Interruptible):
            loop.interrupted = self

    @staticmethod
    def of_limit(limit_s: float) -> type[StepLimitExceeded]:
        """The same error, which says what the limit was."""
        return type("StepLimitExceeded", (StepLimitExceeded,), {"limit_s": limit_s})
