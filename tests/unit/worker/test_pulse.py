"""What others may ask about a machine while it is turned."""

from __future__ import annotations

import pytest

from streamflow.worker.pulse import Pulse


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
