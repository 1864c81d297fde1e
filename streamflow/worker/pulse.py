"""How a machine is: since when it has been in its turn, and whether it was ready after its last one. Asked from any thread."""

from __future__ import annotations

from collections.abc import Callable

from streamflow.ports import Clock, Log, Machine, Running


class Pulse:
    """A machine that is watched while it is turned. A `Machine`, as the one inside is."""

    def __init__(self, machine: Machine, ready: Callable[[], bool], clock: Clock) -> None:
        """``ready`` is asked on the machine's own thread."""
        self._machine = machine
        self._ask = ready
        self._clock = clock
        self._began_ms: int | None = None
        self.ready = False

    def turning_ms(self) -> int:
        """How long the present turn has been going on; 0 between turns."""
        began_ms = self._began_ms
        return 0 if began_ms is None else max(0, self._clock.monotonic_ms() - began_ms)

    def open(self) -> None:
        self._machine.open()

    def turn(self) -> int | None:
        self._began_ms = self._clock.monotonic_ms()
        try:
            return self._machine.turn()
        finally:
            self._began_ms = None
            self.ready = self._ask()

    def close(self) -> None:
        self.ready = False
        self._machine.close()


UNREADY_AFTER_MS = 30_000
"""A turn of this length waits for something that is away; what was ready before it is not to be counted on."""


class Pulses:
    """All machines that a worker drives on a log. What is asked may be asked from any thread."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._pulses: list[Pulse] = []

    @property
    def ready(self) -> bool:
        """Whether every one of them was after its last turn, there is one, and none has been in a turn for long."""
        well = bool(self._pulses) and all(pulse.ready for pulse in self._pulses)
        return well and self.turning_ms < UNREADY_AFTER_MS

    @property
    def turning_ms(self) -> int:
        """How long the longest of the present turns has been going on."""
        return max((pulse.turning_ms() for pulse in self._pulses), default=0)

    def drive(self, machine: Machine, ready: Callable[[], bool], *, name: str) -> Running:
        pulse = Pulse(machine, ready, self._log.clock)
        self._pulses.append(pulse)
        return self._log.drive(pulse, name=name)
