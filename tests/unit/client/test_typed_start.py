"""What a caller need not say: names and result types come from the workflow's code."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from streamflow import workflow
from streamflow.client.activities.starting import StartActivityOptions
from streamflow.client.calls import naming
from streamflow.client.calls.start import StartOptions, check_options
from streamflow.common import RawValue


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


@pytest.mark.parametrize("name", [naming.signal_name, naming.query_name, naming.update_name])
def test_a_function_that_is_no_handler_is_refused(name: Callable[[object], object]) -> None:
    """With a RuntimeError, as the model's client has it."""
    with pytest.raises(RuntimeError, match="definition not found on len, is it decorated with"):
        name(len)


def test_a_function_that_is_no_workflow_is_refused() -> None:
    """It is the wrong value of the right type; what cannot be called is of the wrong type."""
    with pytest.raises(ValueError, match="missing attributes"):
        naming.workflow_name(len)
    with pytest.raises(TypeError, match="Workflow must be a string or callable"):
        naming.workflow_name(5)  # type: ignore[arg-type]  # that is the point


@workflow.defn(dynamic=True)
class Anything:
    @workflow.run
    async def run(self, args: Sequence[RawValue]) -> None: ...

    @workflow.signal(dynamic=True)
    def signal(self, name: str, args: Sequence[RawValue]) -> None: ...

    @workflow.query(dynamic=True)
    def query(self, name: str, args: Sequence[RawValue]) -> int:
        return 1

    @workflow.update(dynamic=True)
    def update(self, name: str, args: Sequence[RawValue]) -> None: ...


def test_what_is_dynamic_is_called_by_a_name_as_text() -> None:
    with pytest.raises(ValueError, match="Cannot invoke dynamic workflow explicitly"):
        naming.workflow_name(Anything.run)
    with pytest.raises(RuntimeError, match="Cannot invoke dynamic signal definition"):
        naming.signal_name(Anything.signal)
    with pytest.raises(RuntimeError, match="Cannot invoke dynamic query definition"):
        naming.query_name(Anything.query)
    with pytest.raises(RuntimeError, match="Cannot invoke dynamic update definition"):
        naming.update_name(Anything.update)


@pytest.mark.parametrize("known", [StartOptions, StartActivityOptions])
def test_options_are_checked_as_arguments_are(known: type) -> None:
    """A missing one, or one that nobody knows, is a TypeError before anybody is asked."""
    given = {"id": "w", "task_queue": "q"}
    check_options("options", given, known)
    with pytest.raises(TypeError, match="missing required task_queue"):
        check_options("options", {"id": "w"}, known)
    with pytest.raises(TypeError, match="unknown queue"):
        check_options("options", {**given, "queue": "q"}, known)
