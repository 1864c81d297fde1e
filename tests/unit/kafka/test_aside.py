"""Calls that may never return: whoever makes them does, in time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from streamflow.kafka.aside import Aside

LONG_S = 30.0


@pytest.fixture
def aside() -> Iterator[Aside]:
    made = Aside("aside under test")
    yield made
    made.close()


def _threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "aside under test"]


def _gone() -> bool:
    deadline = time.monotonic() + LONG_S
    while _threads() and time.monotonic() < deadline:
        time.sleep(0.005)
    return not _threads()


def test_all_calls_are_made_on_one_other_thread(aside: Aside) -> None:
    seen: list[int] = []
    for _ in range(3):
        aside.call(lambda: seen.append(threading.get_ident()), LONG_S)
    [thread] = _threads()
    assert seen == [thread.ident] * 3


def test_what_a_call_raises_is_raised_where_it_is_waited_for(aside: Aside) -> None:
    def fail() -> None:
        raise KeyError("of the call")

    with pytest.raises(KeyError, match="of the call"):
        aside.call(fail, LONG_S)
    aside.call(lambda: None, LONG_S)
    assert not aside.left_behind


def test_a_call_that_does_not_return_is_left_behind(aside: Aside) -> None:
    returns = threading.Event()
    with pytest.raises(TimeoutError, match="no return in"):
        aside.call(returns.wait, 0.01)
    assert aside.left_behind
    aside.close()
    assert _threads()
    # Its thread ends with it, once it returns after all.
    returns.set()
    assert _gone()


def test_nothing_runs_before_the_first_call_and_nothing_after_the_end(aside: Aside) -> None:
    assert not _threads()
    aside.call(lambda: None, LONG_S)
    assert len(_threads()) == 1
    aside.close()
    assert _gone()
