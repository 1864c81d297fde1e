"""One process's connection to a broker: where it may be paused, crash, and be told that the world is unavailable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from streamflow.memory.broker import MemoryBroker
from streamflow.memory.processes import Process, ProcessCrashed
from streamflow.ports import Unavailable


class Lifeline(Protocol):
    """Something that depends on its process being alive."""

    def paused(self) -> None: ...

    def resumed(self) -> None: ...

    def crashed(self) -> None: ...

    def disconnected(self) -> None:
        """The log is closed in good order: send what is unsent, deliver nothing more."""
        ...


class Connection:
    """What every part of a `MemoryLog` shares."""

    def __init__(self, broker: MemoryBroker, name: str) -> None:
        self.broker = broker
        self.process = Process(name, broker.agenda)
        # How to wake the machine being opened or turned now: the sources that it makes belong to it.
        self.turning: Callable[[], None] | None = None
        # Whether a call of the current turn would have waited elsewhere, and was refused here instead.
        self.must_wait = False
        self._lifelines: list[Lifeline] = []

    def enter(self, call: str) -> None:
        """Every port call passes here: the dead do nothing more, and faults strike.

        Raises:
            ProcessCrashed: this process is dead, or dies now.
            Unavailable: a fault.
        """
        process, faults = self.process, self.broker.faults
        if process.dead:
            raise ProcessCrashed(process.name)
        process.calls += 1
        self.broker.note(process.name, call)
        if faults.crashes(process.name, process.calls):
            self.crash()
            raise ProcessCrashed(process.name)
        if faults.unavailable(call):
            raise self.unavailable(
                f"Expected an answer to {call!r}, found none (a planned fault); try again"
            )

    def unavailable(self, message: str) -> Unavailable:
        """Nothing can be waited for within a turn, so the wait comes after it (see `MemoryRunning`)."""
        self.must_wait = True
        return Unavailable(message)

    def soon(self, call: Callable[[], None]) -> None:
        self.process.soon(call)

    def attach(self, lifeline: Lifeline) -> None:
        self._lifelines.append(lifeline)

    def detach(self, lifeline: Lifeline) -> None:
        if lifeline in self._lifelines:
            self._lifelines.remove(lifeline)

    def crash(self) -> None:
        if self.process.dead:
            return
        self.process.kill()
        for lifeline in self._lifelines:
            lifeline.crashed()
        self._lifelines.clear()

    def close(self) -> None:
        for lifeline in list(self._lifelines):
            lifeline.disconnected()

    def pause(self) -> None:
        self.process.pause()
        for lifeline in self._lifelines:
            lifeline.paused()

    def resume(self) -> None:
        for lifeline in self._lifelines:
            lifeline.resumed()
        self.process.resume()
