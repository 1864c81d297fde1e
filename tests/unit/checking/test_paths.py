"""The ways that code can go, as read from its source."""

from __future__ import annotations

import textwrap

import pytest

from streamflow.checking.graph import Graph, to_dot, to_mermaid
from streamflow.checking.paths import NoWorkflow, graph_of


def paths(body: str, more: str = "") -> set[str]:
    """The edges of a run method, by labels: ``a -yes-> b``."""
    source = "import asyncio\nfrom streamflow import workflow\n" + textwrap.dedent(more)
    source += "\n@workflow.defn\nclass W:\n    @workflow.run\n    async def run(self, x):\n"
    source += textwrap.indent(textwrap.dedent(body), " " * 8)
    graph = graph_of(source)
    return {
        f"{graph.nodes[begin].label} -{label}-> {graph.nodes[end].label}"
        for (begin, end), label in graph.edges.items()
    }


def test_a_sequence_is_a_line() -> None:
    """Each form of each wish is a node; what does not reach outside is none."""
    assert paths("""
        y = x + 1
        await workflow.execute_activity(charge, y)
        await asyncio.sleep(3)
        await workflow.wait_condition(lambda: self.done)
        return await workflow.execute_child_workflow(Child.run, x)
    """) == {
        "W --> charge",
        "charge --> sleep 3",
        "sleep 3 --> until self.done",
        "until self.done --> Child",
        "Child --> completed",
    }


def test_a_choice_has_both_ways_and_one_without_consequence_is_left_out() -> None:
    """Ways that end are not drawn further."""
    assert paths("""
        if x > 3:
            x = 3
        if x:
            await workflow.execute_activity("a", x)
        elif x is None:
            raise ApplicationError("no")
        await workflow.execute_activity("b", x)
    """) == {
        "W --> x",
        "x -yes-> a",
        "x -no-> x is None",
        "x is None -yes-> raise ApplicationError",
        "x is None -no-> b",
        "a --> b",
        "b --> completed",
    }


def test_loops_go_back_and_are_left_by_break() -> None:
    """An endless loop has no other way out."""
    assert paths("""
        while True:
            await workflow.sleep(1)
            if x:
                break
        for i in x:
            if i:
                continue
            await workflow.execute_activity(a)
    """) == {
        "W --> while True",
        "while True --> sleep 1",
        "sleep 1 --> x",
        "x -no-> while True",
        "x -yes-> for i in x",
        "for i in x -again-> i",
        "i -yes-> for i in x",
        "i -no-> a",
        "a --> for i in x",
        "for i in x -done-> completed",
    }


def test_handlers_begin_at_the_try_and_everything_goes_through_finally() -> None:
    """The way to a handler has what it catches."""
    assert paths("""
        try:
            await workflow.execute_activity(a)
        except (ActivityError, ChildError):
            await workflow.execute_activity(undo)
        finally:
            await workflow.execute_activity(tidy)
    """) == {
        "W --> try",
        "try --> a",
        "try -(ActivityError, ChildError)-> undo",
        "a --> tidy",
        "undo --> tidy",
        "tidy --> completed",
    }


def test_what_is_gathered_goes_side_by_side() -> None:
    """All branches begin where the gather stands, and meet after it."""
    assert paths("""
        await asyncio.gather(workflow.execute_activity(a), workflow.execute_activity(b))
        await workflow.execute_activity(c)
    """) == {"W --> a", "W --> b", "a --> c", "b --> c", "c --> completed"}


def test_functions_of_the_file_are_followed_and_never_for_ever() -> None:
    """Also those that are defined within; their returns lead back to the caller."""
    more = """
        async def twice(x):
            if x:
                return await workflow.execute_activity(a)
            await workflow.execute_activity(b)
            await twice(x)
    """
    assert paths(
        """
        async def last():
            await workflow.execute_activity(d)
        await twice(x)
        await last()
    """,
        more,
    ) == {
        "W --> x",
        "x -yes-> a",
        "x -no-> b",
        "a --> d",
        "b --> d",
        "d --> completed",
    }


def test_cases_and_messages_and_new_runs() -> None:
    """A match without a rest may find none; a continued run ends here."""
    assert paths("""
        handle = workflow.get_external_workflow_handle("other")
        match x:
            case 1:
                await handle.signal("go")
            case [a, *b]:
                workflow.continue_as_new(x)
    """) == {
        "W --> x",
        "x -1-> handle.signal",
        "x -[a, *b]-> continue as new",
        "x -none of them-> completed",
        "handle.signal --> completed",
    }


def test_a_class_is_chosen_by_name() -> None:
    """Where there are several, or none, the message names those there are."""
    source = "from streamflow import workflow\n" + "\n".join(
        f"@workflow.defn\nclass {name}:\n    @workflow.run\n    async def run(self): ..."
        for name in ("A", "B")
    )
    assert graph_of(source, "B").nodes[0].label == "B"
    with pytest.raises(NoWorkflow, match="found A, B"):
        graph_of(source)
    with pytest.raises(NoWorkflow, match="found none"):
        graph_of("x = 1")


def test_labels_cannot_break_out_of_their_quotes() -> None:
    """Whatever the code compares with."""
    source = """
from streamflow import workflow
@workflow.defn
class W:
    @workflow.run
    async def run(self, x):
        if x == '"] --> evil["<b>':
            await workflow.execute_activity(a)
"""
    graph: Graph = graph_of(source)

    assert '"] --> evil' not in to_mermaid(graph)
    assert "<b>" not in to_mermaid(graph)
    assert '\\"] --> evil' in to_dot(graph)
