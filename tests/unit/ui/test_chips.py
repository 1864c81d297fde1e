"""Chips and the filter's text say the same, whichever of them was changed."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.ui.chips import STATUSES, Status, read
from streamflow.visibility import FilterError
from streamflow.visibility.parsing import parse

BY_NAME = {status.name: status for status in STATUSES}


@pytest.mark.parametrize("status", STATUSES, ids=lambda status: str(status.name))
def test_what_a_chip_writes_presses_it(status: Status) -> None:
    """Each chip is recognized in the text that it makes."""
    query = replace(read("Amount > 3 ORDER BY StartTime"), status=status, workflow_type="It's")

    again = read(query.text)

    assert again == query
    assert again.text == query.text
    parse(again.text)


@given(st.text(max_size=20))
def test_any_type_can_be_a_chip(name: str) -> None:
    """Whatever a type is called, its chip's text is a filter that means that type."""
    query = replace(read(""), workflow_type=name)

    parse(query.text)
    assert read(query.text).workflow_type == name


@pytest.mark.parametrize(
    ("text", "status", "workflow_type", "others"),
    [
        ("", None, None, ()),
        ("executionstatus = 'Running'", None, None, ("executionstatus = 'Running'",)),
        ('ExecutionStatus="Running"', "running", None, ()),
        ("ExecutionStatus = 'Running' and MaxAttempt>1", "retrying", None, ()),
        (
            "Trouble is not null AND ExecutionStatus = 'Running' AND not Trouble starts_with 'paused'",
            "stuck",
            None,
            (),
        ),
        ("ExecutionStatus = 'Running' AND Trouble STARTS_WITH \"paused\"", "paused", None, ()),
        ("Trouble IS NOT NULL", None, None, ("Trouble IS NOT NULL",)),
        (
            "City BETWEEN 'a' AND 'b' AND WorkflowType = 'X'",
            None,
            "X",
            ("City BETWEEN 'a' AND 'b'",),
        ),
        ("A = 1 OR WorkflowType = 'X'", None, None, ("(A = 1 OR WorkflowType = 'X')",)),
        ("(A = 1 OR B = 2) AND WorkflowType = 'X'", None, "X", ("(A = 1 OR B = 2)",)),
        ("NOT ExecutionStatus = 'Running'", None, None, ("NOT ExecutionStatus = 'Running'",)),
    ],
)
def test_a_text_presses_the_chips_that_it_means(
    text: str, status: str | None, workflow_type: str | None, others: tuple[str, ...]
) -> None:
    """Conditions joined by AND are chips where they are written as one; anything else stays as it is."""
    query = read(text)

    assert query.status == (None if status is None else BY_NAME[status])
    assert query.workflow_type == workflow_type
    assert query.others == others


def test_the_order_outlives_a_chip() -> None:
    """ORDER BY stays at the end."""
    query = replace(read("A = 1 ORDER BY StartTime DESC"), status=BY_NAME["failed"])

    assert query.text == "A = 1 AND ExecutionStatus = 'Failed' ORDER BY StartTime DESC"


@pytest.mark.parametrize("text", ["'", "A = ~", "A = 1 GROUP BY A"])
def test_what_is_no_list_filter_is_refused_with_its_place(text: str) -> None:
    """The message says where."""
    with pytest.raises(FilterError, match="at character"):
        read(text)
