"""What others may ask about a machine while it is turned."""

from __future__ import annotations

from typing import Any

import pytest

from streamflow.worker.pulse import UNREADY_AFTER_MS, Pulse, Pulses


class _Clock:
    def __init__(self) -> None:
        self.ms = 1_000

    def now_ms(self) -> int:
        return self.ms

    def monotonic_ms(self) -> int:
        return self.ms


class _Slow:
    """A machine whose turns take 500 ms, and which says what others saw of it meanwhile."""

    def __init__(self, clock: _Clock) -> None:
        self.clock = clock
        self.pulse: Pulse | None = None
        self.seen: list[int] = []
        self.error: Exception | None = None

    def open(self) -> None: ...

    def turn(self) -> int | None:
        assert self.pulse is not None
        self.clock.ms += 500
        self.seen.append(self.pulse.turning_ms())
        if self.error is not None:
            raise self.error
        return 7

    def close(self) -> None: ...


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def machine(clock: _Clock) -> _Slow:
    return _Slow(clock)


def test_a_turn_is_as_long_as_it_goes_on(machine: _Slow, clock: _Clock) -> None:
    """Its length grows within it, and is nothing between two turns, however long the machine waits there."""
    pulse = machine.pulse = Pulse(machine, lambda: True, clock)

    assert pulse.turn() == 7
    clock.ms += 60_000

    assert (machine.seen, pulse.turning_ms()) == ([500], 0)


def test_a_turn_that_fails_is_over_too(machine: _Slow, clock: _Clock) -> None:
    pulse = machine.pulse = Pulse(machine, lambda: True, clock)
    machine.error = OSError("no disk")

    with pytest.raises(OSError, match="no disk"):
        pulse.turn()

    assert pulse.turning_ms() == 0


def test_a_machine_is_ready_after_a_turn_that_left_it_so_until_it_closes(
    machine: _Slow, clock: _Clock
) -> None:
    answers = [False, True]
    pulse = machine.pulse = Pulse(machine, lambda: answers.pop(0), clock)
    seen = [pulse.ready]

    pulse.turn()
    seen.append(pulse.ready)
    pulse.turn()
    seen.append(pulse.ready)
    pulse.close()

    assert [*seen, pulse.ready] == [False, False, True, False]


class _HangsOnce:
    """A machine that looks at the clock in each of its turns, the second of which takes as long as it is told."""

    def __init__(self, clock: _Clock, pulses: Pulses, takes_ms: int) -> None:
        self.clock, self.pulses, self.takes_ms = clock, pulses, takes_ms
        self.seen: list[bool] = []

    def open(self) -> None: ...

    def turn(self) -> int | None:
        if self.seen:
            self.clock.ms += self.takes_ms
        self.seen.append(self.pulses.ready)
        return None

    def close(self) -> None: ...


class _Driver:
    """As much of a log as driving takes: it turns a machine twice."""

    def __init__(self, clock: _Clock) -> None:
        self.clock = clock

    def drive(self, machine: Pulse, *, name: str) -> None:
        machine.turn()
        machine.turn()


@pytest.mark.parametrize(
    ("takes_ms", "ready"), [(UNREADY_AFTER_MS - 1, True), (UNREADY_AFTER_MS, False)]
)
def test_what_hangs_in_a_turn_is_not_ready_any_more(
    clock: _Clock, takes_ms: int, ready: bool
) -> None:
    """Though it was after the turn before, and is again after this one."""
    driver: Any = _Driver(clock)
    pulses = Pulses(driver)
    machine = _HangsOnce(clock, pulses, takes_ms)

    pulses.drive(machine, lambda: True, name="one")

    assert machine.seen == [False, ready]
    assert pulses.ready
