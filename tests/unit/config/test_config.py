"""Names of processes, and where their files are."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from streamflow import wiring
from streamflow.config import (
    SWITCH_INTERVAL_S,
    NameTaken,
    claim_instance,
    share_interpreter,
    state_folder,
)


def test_unnamed_processes_take_the_lowest_free_slot(tmp_path: Path) -> None:
    """Each gets a name of its own, and one that was released is used again."""
    first = claim_instance("default", "q", root=tmp_path, environ={})
    second = claim_instance("default", "q", root=tmp_path, environ={})
    first.release()
    third = claim_instance("default", "q", root=tmp_path, environ={})

    assert first.name.endswith("-0")
    assert second.name.endswith("-1")
    assert third.name == first.name
    second.release()
    third.release()


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    """Two processes of one name would fence each other: the second is refused, with the holder."""
    held = claim_instance("default", "q", "pod-1", root=tmp_path, environ={})

    with pytest.raises(NameTaken, match="pod-1"):
        claim_instance("default", "q", root=tmp_path, environ={"STREAMFLOW_INSTANCE": "pod-1"})
    other_queue = claim_instance("default", "r", "pod-1", root=tmp_path, environ={})

    held.release()
    other_queue.release()


def test_a_name_that_is_no_file_name_is_refused(tmp_path: Path) -> None:
    """A name becomes part of paths and transactional ids."""
    with pytest.raises(ValueError, match="instance name"):
        claim_instance("default", "q", "../x", root=tmp_path, environ={})


@pytest.mark.parametrize("queue", ["..", "../../etc", "/", "a/b"])
def test_state_of_a_queue_with_odd_characters_stays_in_its_folder(
    tmp_path: Path, queue: str
) -> None:
    """A queue's name never leads out of the namespace's folder."""
    folder = state_folder("default", queue, "pod-1", root=tmp_path)

    assert folder.resolve().parent.parent == (tmp_path / "default").resolve()


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("localhost:9092", wiring.LogKind.KAFKA),
        ("a:1,b:2, [::1]:3", wiring.LogKind.KAFKA),
        ("embedded:./data", wiring.LogKind.EMBEDDED),
        ("memory:test", wiring.LogKind.MEMORY),
    ],
)
def test_a_target_says_which_log_it_is(target: str, kind: wiring.LogKind) -> None:
    """Three adapters, told apart by the form of the target."""
    assert wiring.kind_of(target) is kind


@pytest.mark.parametrize("target", ["", "localhost", "embedded:", "a:1,,b:2", "a b:1"])
def test_any_other_target_is_refused_with_the_forms_there_are(target: str) -> None:
    """A typo does not become a host name."""
    with pytest.raises(ValueError, match="Expected a target like"):
        wiring.kind_of(target)


def test_a_gateway_is_no_log() -> None:
    """Commands for operators need the log; who gave the address of a gateway is told so."""
    with pytest.raises(ValueError, match="the log itself"):
        wiring.kind_of("http://127.0.0.1:8233")


def test_a_memory_name_is_shared_until_its_last_user_closes() -> None:
    """Openers of one name see the same topics; after the last is closed the name is new again."""
    from streamflow.ports import TopicSpec

    one, two = wiring.open_log("memory:shared"), wiring.open_log("memory:shared")
    one.create_topics([TopicSpec(name="t", partitions=1)])

    assert "t" in two.topics()
    one.close()
    two.close()
    three = wiring.open_log("memory:shared")
    assert "t" not in three.topics()
    three.close()


def test_threads_share_the_interpreter_more_often_unless_told_otherwise() -> None:
    """Python's default is replaced; an interval that somebody chose is left alone."""
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(0.005)
        share_interpreter()
        assert sys.getswitchinterval() == pytest.approx(SWITCH_INTERVAL_S)

        sys.setswitchinterval(0.002)
        share_interpreter()
        assert sys.getswitchinterval() == pytest.approx(0.002)
    finally:
        sys.setswitchinterval(before)
