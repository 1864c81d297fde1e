"""How often Python's collector looks, where a processor runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from streamflow.worker.hosts.collector import ALLOCATIONS, collect_less_often


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_the_youngest_are_looked_at_less_often_and_the_others_as_before() -> None:
    gc.set_threshold(700, 11, 12)

    collect_less_often()

    assert gc.get_threshold() == (ALLOCATIONS, 11, 12)


@pytest.mark.parametrize("youngest", [0, ALLOCATIONS + 1])
def test_what_somebody_set_to_look_less_stays(youngest: int) -> None:
    gc.set_threshold(youngest, 10, 10)

    collect_less_often()

    assert gc.get_threshold() == (youngest, 10, 10)
