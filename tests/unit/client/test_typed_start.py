"""What a caller need not say: names and result types come from the workflow's code."""

from __future__ import annotations

import pytest

from streamflow import workflow
from streamflow.client.activities.starting import StartActivityOptions
from streamflow.client.calls import naming
from streamflow.client.calls.start import StartOptions, check_options


@workflow.defn(name="Typed")
class Counted:
    @workflow.run
    async def run(self, name: str) -> int:
        return len(name)

    @workflow.signal(name="more")
    def add(self) -> None: ...

    @workflow.query
    def length(self) -> int:
        return 0


def test_names_and_result_types_come_from_the_code() -> None:
    """A method stands for its declared name, with the type it returns."""
    assert naming.workflow_name(Counted.run) == ("Typed", int)
    assert naming.signal_name(Counted.add) == "more"
    assert naming.query_name(Counted.length) == ("length", int)


def test_text_is_a_name_without_types() -> None:
    """Workflows of another program are called by name."""
    assert naming.workflow_name("Other") == ("Other", None)


@pytest.mark.parametrize("name", [naming.workflow_name, naming.signal_name, naming.query_name])
def test_any_other_function_is_refused(name: object) -> None:
    """A function that declares nothing has no name that the engine knows."""
    assert callable(name)
    with pytest.raises(TypeError, match="Expected a"):
        name(len)


@pytest.mark.parametrize("known", [StartOptions, StartActivityOptions])
def test_options_are_checked_as_arguments_are(known: type) -> None:
    """A missing one, or one that nobody knows, is a TypeError before anybody is asked."""
    given = {"id": "w", "task_queue": "q"}
    check_options("options", given, known)
    with pytest.raises(TypeError, match="missing required task_queue"):
        check_options("options", {"id": "w"}, known)
    with pytest.raises(TypeError, match="unknown queue"):
        check_options("options", {**given, "queue": "q"}, known)
