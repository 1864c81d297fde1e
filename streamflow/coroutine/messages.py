"""Messages to one run: signals begin handlers' tasks, queries are answered, and both have handlers set at run time.

Which function a name belongs to is `handlers`' business; when a message is put to the code is `instance`'s.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from streamflow.coroutine import guard
from streamflow.coroutine.arguments import handler_arguments
from streamflow.coroutine.definition import QueryDefinition, SignalDefinition
from streamflow.coroutine.errors import ContinueAsNewError, QueryNotFound
from streamflow.coroutine.handlers import AtWork, Handler, Handlers, Waiting
from streamflow.coroutine.interception import Interception, without_waiting
from streamflow.coroutine.metadata import BUILT_IN, LISTED
from streamflow.coroutine.notices import NoticeKind
from streamflow.model.events import SignalReceived
from streamflow.model.payload import Payload, Payloads

if TYPE_CHECKING:
    from streamflow.coroutine.instance import Instance


class Messages:
    """The handlers of an instance, and what of them is at work."""

    __slots__ = ("_instance", "_waiting", "at_work", "queries", "signals")

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.signals: Handlers[SignalDefinition] = Handlers(instance.definition.signals)
        self.queries: Handlers[QueryDefinition] = Handlers(instance.definition.queries)
        self.at_work = AtWork()
        self._waiting = Waiting()

    def bind(self, workflow: object) -> None:
        """Gives the handlers of the class their object."""
        self.signals.bind(workflow)
        self.queries.bind(workflow)

    # -- signals ---------------------------------------------------------------------------------------------------

    def signal(self, event: SignalReceived) -> None:
        """Begins the handler's task; without a handler the signal waits for one."""
        handler = self.signals.find(event.name)
        if handler is None:
            self._waiting.add(event)
            return
        instance = self._instance
        instance.loop.create_task(
            self._run_signal(handler, event),
            name=f"signal {event.name}",
            context=instance.context.copy(),
        )

    async def _run_signal(self, handler: Handler, event: SignalReceived) -> None:
        instance = self._instance
        number = self.at_work.begin(event.name, handler.unfinished_policy)
        try:
            try:
                arguments = handler_arguments(instance.values, handler, event.name, event.args)
            except Exception as error:
                instance.notice(NoticeKind.SIGNAL_DROPPED, event.name, error)
                return
            if instance.interception is None:
                result = handler.function(*arguments)
            else:
                result = instance.interception.signal(event.name, arguments, event.headers)
            if inspect.isawaitable(result):
                await result
        except (Exception, asyncio.CancelledError, ContinueAsNewError) as error:
            instance.ended_by(error)
        finally:
            self.at_work.end(number)

    def set_signal_handler(self, name: str | None, function: Callable[..., Any] | None) -> None:
        """Puts a handler in place and gives it the signals that waited for one."""
        self._instance.refuse_changes("set a signal handler")
        self.signals.set(name, function)
        if function is not None:
            for event in self._waiting.take(name):
                self.signal(event)

    # -- queries ---------------------------------------------------------------------------------------------------

    def query(self, name: str, args: Payloads, headers: Mapping[str, Payload]) -> Payload:
        """The answer of a query handler, which may read the run's state and nothing else.

        Raises:
            QueryNotFound: there is no such handler.
            Exception: whatever the handler or the decoding of its arguments raised.
        """
        instance = self._instance
        if instance.workflow is not None:
            handler = self.queries.get(name)
            if handler is None and name in BUILT_IN:
                return instance.values.encode_one(BUILT_IN[name](instance))
            handler = handler or self.queries.get(None)
            if handler is not None:
                return self._ask(handler, name, args, headers)
        known = " ".join(sorted([*self.queries.names(), *LISTED]))
        raise QueryNotFound(
            f"Query handler for '{name}' expected but not found, known queries: [{known}]"
        )

    def _ask(
        self, handler: Handler, name: str, args: Payloads, headers: Mapping[str, Payload]
    ) -> Payload:
        instance = self._instance
        instance.read_only = True
        with guard.step(instance.loop):
            try:
                arguments = handler_arguments(instance.values, handler, name, args)
                context = instance.context.copy()
                if instance.interception is None:
                    return context.run(self._answer, handler, arguments)
                return context.run(
                    self._intercepted, instance.interception, name, arguments, headers
                )
            finally:
                instance.read_only = False

    def _answer(self, handler: Handler, arguments: list[Any]) -> Payload:
        result = handler.function(*arguments)
        if inspect.isawaitable(result):
            result = without_waiting(result)
        return self._instance.values.encode_one(result)

    def _intercepted(
        self,
        interception: Interception,
        name: str,
        arguments: list[Any],
        headers: Mapping[str, Payload],
    ) -> Payload:
        answering = interception.query("", name, arguments, headers)
        return self._instance.values.encode_one(without_waiting(answering))

    def set_query_handler(self, name: str | None, function: Callable[..., Any] | None) -> None:
        self._instance.refuse_changes("set a query handler")
        self.queries.set(name, function)
