"""What may stand between a run's inputs and its code: interceptors of the user's, seen from the loop's side.

Without any, `instance` and `messages` call the code themselves. The chain and its ends are `streamflow.workflow`'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from streamflow.model.payload import Payload

if TYPE_CHECKING:
    from streamflow.coroutine.instance import Instance

Headers = Mapping[str, Payload]
AnswerT = TypeVar("AnswerT")
BARE_YIELDS_MAX = 1_000
"""How often an answer may step aside (``asyncio.sleep(0)``) before it counts as waiting."""


class Interception(Protocol):
    """The interceptors of one run. Whatever they raise counts as raised by the code."""

    @property
    def extern_functions(self) -> Mapping[str, Callable[..., Any]]:
        """What interceptors lend to the code."""
        ...

    def execute(
        self, run: Callable[..., Awaitable[Any]], args: Sequence[Any], headers: Headers
    ) -> Awaitable[Any]:
        """The run method's result."""
        ...

    def signal(self, name: str, args: Sequence[Any], headers: Headers) -> Awaitable[None]: ...

    def query(self, id: str, name: str, args: Sequence[Any], headers: Headers) -> Awaitable[Any]:
        """The answer, which may not wait for anything."""
        ...

    def validate(self, id: str, name: str, args: Sequence[Any], headers: Headers) -> None:
        """Raises what refuses the update."""
        ...

    def update(self, id: str, name: str, args: Sequence[Any], headers: Headers) -> Awaitable[Any]:
        """The update's result."""
        ...


def without_waiting(answering: Awaitable[AnswerT]) -> AnswerT:
    """What an awaitable gives that waits for nothing. Raises TypeError for one that waits."""
    steps = answering.__await__()
    for _ in range(BARE_YIELDS_MAX):
        try:
            waited_for = next(steps)
        except StopIteration as ended:
            answer: AnswerT = ended.value
            return answer
        if waited_for is not None:
            break
    steps.close()
    raise TypeError(
        "Expected a query handler and its interceptors to answer at once, found them waiting: nothing happens to a run "
        "while it is asked"
    )


Intercept = Callable[["Instance"], Interception]
"""Makes the interceptors of one run, within its first step."""
