"""The activities that a worker offers, by name."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing.reduction import ForkingPickler
from typing import Any

from streamflow.activity.definition import ActivityDefinition, definition_of
from streamflow.worker.running.shared_state import SharedStateManager


class ThreadPerSlot(Executor):
    """Stands for a pool of threads that the worker makes, one for each slot, and ends: what an App's worker has."""


class Registry:
    """Activities by type; at most one dynamic one takes the rest."""

    def __init__(self, activities: Sequence[Callable[..., Any]]) -> None:
        self._by_name: dict[str, ActivityDefinition] = {}
        self._dynamic: ActivityDefinition | None = None
        for activity in activities:
            self._add(definition_of(activity))
            _warn_if_unbound(activity)

    def __len__(self) -> int:
        return len(self._by_name) + (self._dynamic is not None)

    @property
    def names(self) -> list[str]:
        return sorted(self._by_name)

    @property
    def has_sync(self) -> bool:
        """Whether any of them needs a thread."""
        return bool(self._sync)

    @property
    def _sync(self) -> list[ActivityDefinition]:
        definitions = [*self._by_name.values(), *([self._dynamic] if self._dynamic else [])]
        return [definition for definition in definitions if not definition.is_async]

    def find(self, name: str) -> ActivityDefinition | None:
        return self._by_name.get(name) or self._dynamic

    def check(self, name: str) -> None:
        """Raises ValueError for an activity that is not here."""
        if self.find(name) is None:
            names = self.names
            here = (
                f"available activities: {', '.join(names)}" if names else "no available activities"
            )
            raise ValueError(
                f"Activity function {name} is not registered on this worker, {here}. "
                "Give it to Worker(activities=[...])"
            )

    def _add(self, definition: ActivityDefinition) -> None:
        if definition.name is None:
            if self._dynamic is not None:
                raise TypeError("More than one dynamic activity: expected at most one")
            self._dynamic = definition
            return
        if definition.name in self._by_name:
            raise ValueError(
                f"More than one activity named {definition.name}: expected each name once; "
                "give one of them @activity.defn(name=...)"
            )
        self._by_name[definition.name] = definition

    def check_executor(self, executor: Executor | None, shared: SharedStateManager | None) -> None:
        """Refuses an executor that the sync activities cannot run in.

        Raises:
            ValueError: there is none; or it is no thread pool, and nothing carries heartbeats and cancellations.
            TypeError: an activity cannot be sent to another process.
        """
        if isinstance(executor, ThreadPoolExecutor | ThreadPerSlot):
            return
        for definition in self._sync:
            name = definition.name or "(dynamic)"
            if executor is None:
                raise ValueError(
                    f"Activity {name} is not async so an activity_executor must be present: "
                    "concurrent.futures.ThreadPoolExecutor(100)"
                )
            if shared is None:
                raise ValueError(
                    f"Activity {name} is not async and its executor is no thread-pool executor, so a "
                    "shared_state_manager must be present: "
                    "SharedStateManager.create_from_multiprocessing(multiprocessing.Manager())"
                )
            if isinstance(executor, ProcessPoolExecutor):
                try:
                    ForkingPickler.dumps(definition.fn)
                except Exception as error:  # whatever its parts raise when pickled
                    raise TypeError(
                        f"Activity {name} must be picklable when using a process executor: {error}"
                    ) from error


def _warn_if_unbound(activity: Callable[..., Any]) -> None:
    if inspect.isfunction(activity):
        first = next(iter(inspect.signature(activity).parameters), None)
        if first == "self":
            warnings.warn(
                f"Activity {activity.__qualname__} has a first parameter named self but is not bound to an instance: "
                "register the method of an instance of its class",
                stacklevel=4,
            )


def warn_of_few_threads(executor: Executor | None, slots: int | None) -> None:
    """Activities would wait for a thread while their time runs."""
    threads = getattr(executor, "_max_workers", None)
    if isinstance(threads, int) and threads < (slots or 0):
        warnings.warn(
            f"Worker max_concurrent_activities is {slots} but activity_executor's max_workers is only {threads}",
            stacklevel=4,
        )
