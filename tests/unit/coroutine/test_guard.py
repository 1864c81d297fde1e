"""Clocks, chance and I/O raise in workflow code, and nowhere else."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pathlib
import random
import secrets
import socket
import subprocess
import threading
import time
import traceback
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import pytest

from streamflow import workflow
from streamflow.coroutine import guard
from streamflow.coroutine.errors import CodeFailed
from tests.unit.coroutine.world import World, driven

HERE = pathlib.Path(__file__)

FORBIDDEN: dict[str, tuple[Callable[[], Any], str]] = {
    "time": (lambda: time.time(), r"workflow\.now\(\)"),
    "monotonic": (lambda: time.monotonic(), r"workflow\.now\(\)"),
    "sleep": (lambda: time.sleep(0), r"workflow\.sleep\(\)"),
    "localtime": (lambda: time.localtime(), r"workflow\.now\(\)"),
    "now": (lambda: datetime.now(UTC), r"workflow\.now\(\)"),
    "utcnow": (lambda: datetime.utcnow(), r"workflow\.now\(\)"),  # noqa: DTZ003
    "today": (lambda: date.today(), r"workflow\.now\(\)"),  # noqa: DTZ011
    "random": (lambda: random.random(), r"workflow\.random\(\)"),
    "shuffle": (lambda: random.shuffle([1]), r"workflow\.random\(\)"),
    "secrets": (lambda: secrets.token_hex(), r"workflow\.random\(\)"),
    "urandom": (lambda: os.urandom(1), r"workflow\.random\(\)"),
    "uuid1": (lambda: uuid.uuid1(), r"workflow\.uuid7\(\)"),
    "uuid4": (lambda: uuid.uuid4(), r"workflow\.uuid4\(\)"),
    # Which of the two depends on whether it was imported before the guard was put up.
    "uuid4 by name": (lambda: uuid4(), r"workflow\.(random|uuid4)\(\)"),
    "open": (lambda: open(HERE).close(), "activity"),
    "read_text": (lambda: HERE.read_text(), "activity"),
    "listdir": (lambda: os.listdir("."), "activity"),
    "socket": (lambda: socket.socket(), "activity"),
    "create_connection": (lambda: socket.create_connection(("localhost", 9)), "activity"),
    "subprocess": (lambda: subprocess.run(["true"], check=False), "activity"),
    "thread": (lambda: threading.Thread(target=print).start(), "activity"),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_workflow_code_is_refused_with_advice(name: str) -> None:
    """The message names the call, the line and the replacement; the run is stuck, not failed."""
    call, advice = FORBIDDEN[name]

    async def code() -> None:
        call()

    with pytest.raises(CodeFailed, match=f"test_guard.py:.*{advice}") as caught:
        World(driven(code)).step()
    assert isinstance(caught.value.__cause__, guard.ForbiddenInWorkflow)


def test_today_is_refused_too() -> None:
    """It asks the clock by another way than ``now``."""

    async def code() -> None:
        datetime.today()  # noqa: DTZ002

    with pytest.raises(CodeFailed, match="deterministic"):
        World(driven(code)).step()


@pytest.mark.parametrize("name", FORBIDDEN)
def test_everyone_else_is_let_through(name: str) -> None:
    """Outside of a step nothing has changed."""
    guard.install()
    if name in ("create_connection", "thread", "socket"):
        return
    FORBIDDEN[name][0]()


def test_the_clock_still_works_like_itself() -> None:
    guard.install()

    class Own(datetime):
        pass

    assert isinstance(Own.now(UTC), Own)
    assert datetime.now(tz=UTC).tzinfo is UTC
    assert time.localtime(0).tm_year in (1969, 1970)


def test_the_standard_librarys_own_use_passes() -> None:
    """Logging reads the clock for each record, and tracebacks read source files."""
    stream = logging.getLogger("a workflow's")
    records: list[logging.LogRecord] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(record)

    stream.addHandler(Keep())

    async def code() -> bool:
        stream.warning("said")
        time.localtime(0)
        random.Random(1).random()
        try:
            raise ValueError
        except ValueError:
            return "raise ValueError" in traceback.format_exc()

    world = World(driven(code))
    world.step()
    assert world.result is True
    assert [record.msg for record in records] == ["said"]


def test_what_is_imported_in_a_step_may_read_the_clock_once(tmp_path: pathlib.Path) -> None:
    """A module's body runs once per process, not once per run."""
    (tmp_path / "imported_by_a_workflow.py").write_text(
        "import time, uuid\nLOADED = time.time()\nNAME = uuid.uuid4()\n"
    )

    async def code() -> bool:
        import sys

        sys.path.insert(0, str(tmp_path))
        try:
            import imported_by_a_workflow  # type: ignore[import-not-found]
        finally:
            sys.path.remove(str(tmp_path))
        return bool(imported_by_a_workflow.LOADED)

    world = World(driven(code))
    world.step()
    assert world.result is True


def test_the_code_may_take_the_risk_upon_itself() -> None:
    async def code() -> bool:
        with workflow.unsafe.sandbox_unrestricted():
            assert workflow.unsafe.is_sandbox_unrestricted()
            HERE.read_text()  # noqa: ASYNC240  # that is what is tested
            return time.time() > 0

    world = World(driven(code))
    world.step()
    assert world.result is True


def test_debug_mode_lifts_the_guard() -> None:
    async def code() -> bool:
        return time.time() > 0

    world = World(driven(code), guarded=False)
    world.step()
    assert world.result is True


def test_other_threads_are_let_through_during_a_step() -> None:
    entered, asked = threading.Event(), threading.Event()
    seen: list[float] = []

    def other() -> None:
        entered.wait(10)
        seen.append(time.time())
        asked.set()

    thread = threading.Thread(target=other)
    thread.start()

    async def code() -> None:
        entered.set()
        asked.wait(10)

    World(driven(code)).step()
    thread.join()
    assert seen


@pytest.mark.parametrize("on", [True, False])
def test_the_collector_waits_during_a_step_and_is_put_back(on: bool) -> None:
    async def code() -> bool:
        return gc.isenabled()

    world = World(driven(code))
    was = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        world.step()
        assert gc.isenabled() is on
    finally:
        (gc.enable if was else gc.disable)()
    assert world.result is False


def test_a_failed_step_puts_everything_back() -> None:
    async def code() -> None:
        raise ValueError

    with pytest.raises(CodeFailed):
        World(driven(code)).step()
    assert gc.isenabled()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
