"""What is turned by a driver, and the time it lives in."""

from __future__ import annotations

from typing import Protocol


class Machine(Protocol):
    """Something turned by a driver. All three methods run on the driver's thread, ``close`` exactly once."""

    def open(self) -> None: ...

    def turn(self) -> int | None:
        """Does what is ready, and waits (inside `Source.poll`) no longer than needed.

        Returns 0 when there may be more to do at once, else in how many milliseconds it must be turned again though
        nothing arrives, or ``None`` if only an arrival matters. Drivers with a thread turn it again at once in any case:
        there the waiting happened inside.
        """
        ...

    def close(self) -> None: ...


class Running(Protocol):
    """A machine being turned."""

    def stop(self) -> None:
        """Asks it to close after the current turn; does not wait."""
        ...

    async def wait(self) -> None:
        """Returns when the machine has closed; raises what ended it, if anything did."""
        ...

    def failed(self) -> BaseException | None: ...

    @property
    def thread_id(self) -> int | None:
        """The thread that turns it, once known: where a watchdog may interrupt."""
        ...


class Clock(Protocol):
    """Time, as a dependency. Milliseconds since the epoch, and a monotonic count for durations."""

    def now_ms(self) -> int: ...

    def monotonic_ms(self) -> int: ...
