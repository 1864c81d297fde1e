"""Steps that do not come back: interrupted in Python, counted when they end the process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from streamflow.coroutine.definition import definition_of
from streamflow.coroutine.errors import StepLimitExceeded
from streamflow.processor.host import watchdog
from streamflow.processor.host.watchdog import (
    EXIT_CODE,
    MARK_BYTES,
    Suspects,
    Watchdog,
    code_of,
    suspect_of,
)
from tests.unit.processor.programs import Hello

RUN = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def watching(limit_ms: int) -> Watchdog:
    return Watchdog(limit_ms=limit_ms, exit_after_ms=60_000, suspects=Suspects("", "code"))


def burn(seconds: float) -> None:
    """Uses up CPU time in Python code."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_a_step_that_loops_is_interrupted_at_its_cpu_limit() -> None:
    dog = watching(100)
    try:
        with (
            pytest.raises(StepLimitExceeded, match=r"didn't yield within 0\.1 second\(s\)\."),
            dog.watch(RUN),
        ):
            burn(30)
    finally:
        dog.stop()


def test_a_step_that_only_waits_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can interrupt code that waits in a lock, but somebody should know where it does."""
    # Not by the configured logging: an earlier test may have sent it elsewhere for the whole process.
    told = LogCapture()
    monkeypatch.setattr(watchdog, "log", structlog.wrap_logger(None, processors=[told]))
    dog = Watchdog(
        limit_ms=60_000, exit_after_ms=60_000, suspects=Suspects("", "code"), blocks_s=0.1
    )
    try:
        with dog.watch(RUN):
            threading.Event().wait(0.4)
    finally:
        dog.stop()

    assert [entry["event"] for entry in told.entries] == ["step_blocks"]
    assert told.entries[0]["run_id"] == RUN
    assert "threading.Event().wait(0.4)" in told.entries[0]["stack"]


def test_waiting_is_not_computing() -> None:
    """A machine that is busy with something else makes no step guilty."""
    dog = watching(50)
    try:
        with dog.watch(RUN):
            time.sleep(0.3)
    finally:
        dog.stop()


def test_each_step_has_its_own_limit_and_what_comes_after_it_has_none() -> None:
    dog = watching(150)
    try:
        for _ in range(4):
            with dog.watch(RUN):
                burn(0.07)
        burn(0.4)
        with pytest.raises(StepLimitExceeded), dog.watch(RUN):
            burn(30)
        burn(0.4)
    finally:
        dog.stop()


def test_an_interruption_that_comes_while_a_step_is_being_left_is_not_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And leaves nothing watched: the next pause would otherwise count as the run's."""
    dog = watching(60_000)
    try:
        watched: Any = dog.watch(RUN)
        leave, late = type(watched)._leave, iter([True])

        def interrupted(self: Any) -> None:
            if next(late, False):
                raise StepLimitExceeded
            leave(self)

        monkeypatch.setattr(type(watched), "_leave", interrupted)
        with watched:
            pass

        assert watched.run_id == ""
    finally:
        dog.stop()


def test_a_step_that_swallows_its_interruption_ends_the_process(tmp_path: Path) -> None:
    """As C code would that never looks at exceptions; the run is named to the next process."""
    program = """
        import sys
        from streamflow.coroutine.errors import StepLimitExceeded
        from streamflow.processor.host.watchdog import Suspects, Watchdog

        dog = Watchdog(limit_ms=50, exit_after_ms=200, suspects=Suspects(sys.argv[1], "code"))
        with dog.watch(sys.argv[2]):
            while True:
                try:
                    while True:
                        pass
                except StepLimitExceeded:
                    pass
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path), RUN],
        check=False,
        capture_output=True,
        timeout=60,
    )

    assert ended.returncode == EXIT_CODE
    suspects = Suspects(str(tmp_path), "code")
    assert suspects.count(RUN) == 1
    suspects.close()


# -- suspects -----------------------------------------------------------------------------------------------------------


def die_in_a_step(folder: Path, run_id: str = RUN, code: str = "code") -> int:
    """A process begins, enters a step of this run and is gone; how often it had happened before."""
    suspects = Suspects(str(folder), code)
    before = suspects.count(run_id)
    suspects.entered(run_id)
    suspects.close()
    return before


def test_ends_within_steps_of_a_run_are_counted_over_restarts(tmp_path: Path) -> None:
    assert [die_in_a_step(tmp_path) for _ in range(4)] == [0, 1, 2, 3]


def test_an_end_outside_of_steps_is_nobodys(tmp_path: Path) -> None:
    suspects = Suspects(str(tmp_path), "code")
    suspects.entered(RUN)
    suspects.left()
    suspects.close()

    again = Suspects(str(tmp_path), "code")
    assert again.count(RUN) == 0
    again.close()


def test_a_step_that_ends_well_clears_its_run_only(tmp_path: Path) -> None:
    die_in_a_step(tmp_path)
    die_in_a_step(tmp_path, OTHER)
    suspects = Suspects(str(tmp_path), "code")
    suspects.absolve(RUN)
    suspects.close()

    again = Suspects(str(tmp_path), "code")
    assert (again.count(RUN), again.count(OTHER)) == (0, 1)
    again.close()


def test_counts_of_other_code_do_not_count(tmp_path: Path) -> None:
    """Changed code is tried again."""
    for _ in range(3):
        die_in_a_step(tmp_path)
    changed = Suspects(str(tmp_path), "code, mended")

    # The last of them has just been found: with which code it ended is not known, so it counts once.
    assert changed.count(RUN) <= 1
    changed.close()


def test_damaged_counts_are_no_reason_not_to_start(tmp_path: Path) -> None:
    die_in_a_step(tmp_path)
    (tmp_path / "suspects.json").write_text("{")

    suspects = Suspects(str(tmp_path), "code")

    assert suspects.count(RUN) == 1
    suspects.close()


def test_without_a_folder_nothing_is_kept() -> None:
    suspects = Suspects("", "code")
    suspects.entered(RUN)
    suspects.left()
    suspects.absolve(RUN)
    suspects.close()

    assert suspects.count(RUN) == 0


def test_code_is_named_by_its_files() -> None:
    assert code_of([definition_of(Hello)]) == code_of([definition_of(Hello)])
    assert code_of([definition_of(Hello)]) != code_of([])


def test_a_workflow_keeps_its_name_among_suspects() -> None:
    """Over restarts and over runs; whatever its ID looks like, the name fits the mark."""
    odd = ["order-1", "x" * 1_000, "x" * 1_001, "ünïcode", " blank"]

    names = [suspect_of(workflow_id) for workflow_id in odd]

    assert names == [suspect_of(workflow_id) for workflow_id in odd]
    assert len(set(names)) == len(odd)
    assert all(name.isascii() and 0 < len(name) <= MARK_BYTES for name in names)
    assert not any(name.startswith(" ") for name in names)


def test_a_first_step_that_never_yields_ends_the_process_too(tmp_path: Path) -> None:
    """Even one that keeps the interpreter to itself before the watching thread had its first turn."""
    program = """
        import sys
        from streamflow.processor.host.watchdog import Suspects, Watchdog

        dog = Watchdog(limit_ms=50, exit_after_ms=200, suspects=Suspects(sys.argv[1], "code"))
        with dog.watch(sys.argv[2]):
            sum(range(10**14))
    """
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path), RUN],
        check=False,
        capture_output=True,
        timeout=60,
    )

    assert ended.returncode != 0
    suspects = Suspects(str(tmp_path), "code")
    assert suspects.count(RUN) == 1
    suspects.close()


def test_steps_are_watched_where_standard_error_has_no_descriptor() -> None:
    """Tests, notebooks and services put something else in its place."""
    code = """
        import io, sys
        sys.stderr = io.StringIO()
        from tests.unit.processor.test_watchdog import RUN, watching
        dog = watching(60_000)
        with dog.watch(RUN):
            pass
        dog.stop()
        print("watched")
    """

    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False
    )

    assert ended.stdout == "watched\n", ended
