"""Updates of one run: a validator may refuse one, then its handler runs as a task and its end is what the caller gets.

    asked -> validator (reads only) -> refused: nothing of it is recorded
                                   '-> accepted: the handler's task goes on -> completed with a result or a failure

The validator is asked in the handler's own task, so that it sees what the messages before it did; or between steps,
where an update is all that there is (`Updates.refusal`): a refused one then leaves no trace in the code's state. On
replay no validator is asked.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from streamflow.coroutine import guard
from streamflow.coroutine.arguments import DECODING_FAILED, handler_arguments
from streamflow.coroutine.definition import UpdateDefinition
from streamflow.coroutine.errors import (
    CodeFailed,
    ContinueAsNewError,
    NondeterminismError,
    ReadOnlyContextError,
)
from streamflow.coroutine.handlers import Handler, Handlers
from streamflow.exceptions import CancelledError, FailureError
from streamflow.model.events import UpdateAccepted
from streamflow.model.failure import Failure
from streamflow.model.intents import CompleteUpdate

if TYPE_CHECKING:
    from streamflow.coroutine.instance import Instance


class CurrentUpdate(NamedTuple):
    """The update that a task works for: tasks that its handler begins work for it too."""

    id: str
    name: str


CURRENT: ContextVar[CurrentUpdate | None] = ContextVar("streamflow_update", default=None)


class Updates:
    """The update handlers of an instance, and what came of the updates of its latest step."""

    __slots__ = ("_completed", "_instance", "handlers", "verdicts")

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.handlers: Handlers[UpdateDefinition] = Handlers(instance.definition.updates)
        self.verdicts: dict[str, Failure | None] = {}
        """Why each unchecked update of the latest step was refused; ``None`` where it was accepted."""
        self._completed: list[CompleteUpdate] = []

    def set_handler(
        self,
        name: str | None,
        function: Callable[..., Any] | None,
        validator: Callable[..., Any] | None,
    ) -> None:
        self._instance.refuse_changes("set an update handler")
        self.handlers.set(name, function, validator)

    def begin(self, event: UpdateAccepted, *, unchecked: bool) -> None:
        """Begins the handler's task; ``unchecked`` asks the validator first."""
        instance = self._instance
        instance.loop.create_task(
            self._run(event, unchecked=unchecked),
            name=f"update {event.name}",
            context=instance.context.copy(),
        )

    def refusal(self, event: UpdateAccepted, now_ms: int) -> Failure | None:
        """Why the code as it stands refuses this update, or ``None``. Asked between steps; begins nothing.

        Raises:
            CodeFailed: the validator tried to change the run.
        """
        instance = self._instance
        before_ms, instance.now_ms = instance.now_ms, now_ms
        with guard.step(instance.loop):
            try:
                instance.context.copy().run(self._check, event)
            except ReadOnlyContextError as error:
                raise CodeFailed(error) from error
            except Exception as error:
                return instance.values.to_failure(error)
            finally:
                instance.now_ms = before_ms
        return None

    def take_completed(self) -> list[CompleteUpdate]:
        completed, self._completed = self._completed, []
        return completed

    # -- one update ------------------------------------------------------------------------------------------------

    def _check(self, event: UpdateAccepted) -> Handler:
        """The handler, if its validator lets the update pass; raises what the validator raises."""
        CURRENT.set(CurrentUpdate(event.update_id, event.name))
        handler = self.handlers.find(event.name)
        if handler is None:
            known = " ".join(self.handlers.names())
            raise RuntimeError(
                f"Update handler for '{event.name}' expected but not found, and there is no dynamic handler. "
                f"known updates: [{known}]"
            )
        instance = self._instance
        try:
            arguments = handler_arguments(instance.values, handler, event.name, event.args)
        except FailureError:
            raise
        except Exception as error:
            raise RuntimeError(DECODING_FAILED) from error
        before, instance.read_only = instance.read_only, True
        try:
            if handler.validator is None:
                pass
            elif instance.interception is not None:
                instance.interception.validate(
                    event.update_id, event.name, arguments, event.headers
                )
            else:
                handler.validator(*arguments)
        finally:
            instance.read_only = before
        return handler

    async def _run(self, event: UpdateAccepted, *, unchecked: bool) -> None:
        instance = self._instance
        CURRENT.set(CurrentUpdate(event.update_id, event.name))
        if unchecked:
            handler = self._judge(event)
        else:
            handler = self.handlers.find(event.name)
            if handler is None:
                instance.fault(_no_handler(event))
        if handler is None:
            return
        number = instance.messages.at_work.begin(
            event.name, handler.unfinished_policy, event.update_id
        )
        try:
            # Decoded anew: a validator may have changed what it was given.
            arguments = handler_arguments(instance.values, handler, event.name, event.args)
            if instance.interception is None:
                result = handler.function(*arguments)
            else:
                result = instance.interception.update(
                    event.update_id, event.name, arguments, event.headers
                )
            if inspect.isawaitable(result):
                result = await result
            payload = instance.values.encode_one(result)
            self._completed.append(CompleteUpdate(update_id=event.update_id, result=payload))
        except ContinueAsNewError:
            instance.fault(
                RuntimeError(
                    "Expected continue_as_new in the run method or a signal handler, found it in an update handler: its "
                    "caller would get no answer"
                )
            )
        except (Exception, asyncio.CancelledError) as error:
            self._failed(event, error)
        finally:
            instance.messages.at_work.end(number)

    def _judge(self, event: UpdateAccepted) -> Handler | None:
        """The handler of an update that is accepted; ``None`` for a refused one, of which nothing remains."""
        try:
            handler = self._check(event)
        except ReadOnlyContextError as error:
            self._instance.fault(error)
            return None
        except Exception as error:
            self.verdicts[event.update_id] = self._instance.values.to_failure(error)
            return None
        self.verdicts[event.update_id] = None
        return handler

    def _failed(self, event: UpdateAccepted, error: BaseException) -> None:
        instance = self._instance
        if instance.loop.evicting:
            return
        if isinstance(error, asyncio.CancelledError):
            error = CancelledError(f"Cancellation raised within update {error}".rstrip())
        if not instance.is_failure(error):
            instance.fault(error)
            return
        failure = instance.values.to_failure(error)
        self._completed.append(CompleteUpdate(update_id=event.update_id, failure=failure))


def _no_handler(event: UpdateAccepted) -> NondeterminismError:
    return NondeterminismError(
        f"Expected a handler of update {event.name!r}, which the history says was accepted ({event.update_id!r}), found "
        "none: restore the handler, or keep it until every run that accepted such an update has ended"
    )
