"""The list-filter language: what it means, and what it says of a filter that is none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamflow.model.answers import ExecutionSummary
from streamflow.model.options import Status
from streamflow.visibility import Catalog, FilterError
from streamflow.visibility.binding import bind
from streamflow.visibility.parsing import parse
from streamflow.visibility.planning import Bounds
from streamflow.visibility.store import Store
from streamflow.wire.entities import decode_summary
from tests.unit.visibility.fleet import (
    AMOUNT,
    CITY,
    DUE,
    NOTE,
    NS,
    PAID,
    SCORE,
    TAGS,
    USERS,
    emptied,
    filled,
    in_memory,
    read_by_pages,
    run,
)
from tests.unit.visibility.naive import in_order, lets_through

NOW_MS = 1_790_000_100_000
CATALOG = Catalog(USERS)

TEXTS = st.sampled_from(
    ["", "a", "A", "ab", "Köln", "a%b", "x_y", "it's", '"', "the red fox", "fox", "RED"]
)
INTS = st.integers(-3, 3) | st.sampled_from([2**62, -(2**62)])
FLOATS = st.sampled_from([-1.5, 0.0, 0.5, 1.0, 2.0, 1e18])
MOMENTS = st.integers(-2, 2).map(
    lambda n: datetime(2026, 9, 21, 14, 13, n % 60, 250_000, tzinfo=UTC)
)

RUNS = st.builds(
    run,
    st.integers(0, 9),
    st.fixed_dictionaries(
        {},
        optional={
            CITY: TEXTS,
            NOTE: TEXTS,
            AMOUNT: INTS,
            SCORE: FLOATS,
            PAID: st.booleans(),
            DUE: MOMENTS,
            TAGS: st.lists(TEXTS, max_size=3),
        },
    ),
    started_ms=st.sampled_from([1_790_000_000_000, 1_790_000_000_001, 1_790_000_099_999]),
    status=st.sampled_from(Status),
    closed_ms=st.sampled_from([0, 1_790_000_000_500, 1_790_000_050_000]),
    workflow_type=TEXTS,
    parent_workflow_id=TEXTS,
    history_length=st.integers(0, 3),
)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def predicates() -> st.SearchStrategy[str]:
    texts = TEXTS.map(quoted)
    numbers = INTS.map(str) | FLOATS.map(repr)
    moments = MOMENTS.map(lambda at: quoted(at.isoformat())) | st.sampled_from(
        ["NOW", "now - 100s", "NOW() + 1h", "'2026-09-21T14:13:20Z'"]
    )
    flags = st.sampled_from(["TRUE", "false"])
    lengths = st.sampled_from(["500ms", "50s", "'00:00:50'", "500000000", "'1m'"])
    statuses = st.sampled_from(["'Running'", "'Failed'", "'TimedOut'", "1", "'CONTINUED_AS_NEW'"])
    order = st.sampled_from(["=", "!=", ">", ">=", "<", "<="])
    equal = st.sampled_from(["=", "!="])
    listed = st.sampled_from(["=", "!=", "CONTAINS", "STARTS_WITH", "NOT CONTAINS"])
    keyword = order | st.sampled_from(["STARTS_WITH", "NOT STARTS_WITH", "CONTAINS"])

    def compared(
        names: list[str], operators: st.SearchStrategy[str], values: st.SearchStrategy[str]
    ) -> st.SearchStrategy[str]:
        name = st.sampled_from(names)
        plain = st.builds("{} {} {}".format, name, operators, values)
        within = st.builds("{} IN ({}, {})".format, name, values, values)
        without = st.builds("{} NOT IN ({})".format, name, values)
        nothing = st.builds("{} IS {}NULL".format, name, st.sampled_from(["", "NOT "]))
        return plain | within | without | nothing

    def ranged(names: list[str], values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.builds("{} BETWEEN {} AND {}".format, st.sampled_from(names), values, values)

    return st.one_of(
        compared(["WorkflowType", "ParentWorkflowId", "City", "`City`"], keyword, texts),
        compared(["Tags"], listed, texts),
        compared(["Note"], st.sampled_from(["=", "!=", "CONTAINS"]), texts),
        compared(["Amount", "HistoryLength"], order, INTS.map(str)),
        compared(["Score"], order, numbers),
        compared(["Paid"], equal, flags),
        compared(["Due", "StartTime", "CloseTime"], order, moments),
        compared(["ExecutionDuration"], order, lengths),
        compared(["ExecutionStatus"], equal, statuses),
        ranged(["Amount", "Score"], INTS.map(str)),
        ranged(["Due", "CloseTime"], moments),
        ranged(["City"], texts),
    )


CONDITIONS = st.recursive(
    predicates(),
    lambda inner: st.one_of(
        st.builds("({} AND {})".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("NOT ({})".format, inner),
        st.builds("{} and {} OR {}".format, inner, inner, inner),
    ),
    max_leaves=6,
)


PLANS = st.sampled_from(
    [
        Bounds(),
        Bounds(gathered=0),
        Bounds(gathered=0, sorted=0),
        Bounds(gathered=2, sorted=3, counted=4),
    ]
)
"""Conditions are gathered, or walked past, whatever their numbers are."""


@pytest.mark.timeout(300)
@settings(max_examples=100, deadline=None)
@given(st.lists(RUNS, max_size=6, unique_by=lambda found: found.run_id), CONDITIONS, PLANS)
def test_sql_means_what_the_language_says(
    runs: list[ExecutionSummary], text: str, bounds: Bounds
) -> None:
    """Every filter finds the runs that a plain reading of it lets through."""
    store = filled(emptied(in_memory(bounds)), runs)
    bound = bind(parse(text), CATALOG, now_ms=NOW_MS)

    page = store.search(NS, bound, page_size=100, token="")

    found = {decode_summary(value).run_id for value in page.summaries}
    assert found == {one.run_id for one in runs if lets_through(bound.where, one)}
    assert store.count(NS, bound).count == len(found)


ORDERINGS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "City",
                "Amount",
                "Due",
                "Paid",
                "CloseTime",
                "WorkflowType",
                "StartTime",
                "ExecutionStatus",
                "ParentWorkflowId",
                "HistoryLength",
            ]
        ),
        st.sampled_from(["", " ASC", " desc"]),
    ),
    max_size=3,
).map(lambda named: " ORDER BY " + ", ".join(name + way for name, way in named) if named else "")


@pytest.mark.timeout(300)
@settings(max_examples=80, deadline=None)
@given(
    st.lists(RUNS, max_size=9, unique_by=lambda found: found.run_id),
    st.just("") | CONDITIONS,
    ORDERINGS,
    PLANS,
)
def test_pages_make_up_the_whole_in_its_order(
    runs: list[ExecutionSummary], where: str, order: str, bounds: Bounds
) -> None:
    """However it is filtered and ordered, reading page by page gives each run once, as a plain sorting has them."""
    store = filled(emptied(in_memory(bounds)), runs)
    bound = bind(parse(where + order), CATALOG, now_ms=NOW_MS)

    paged = read_by_pages(store, bound, page_size=3)

    expected = in_order(bound, [one for one in runs if lets_through(bound.where, one)])
    assert paged == [one.run_id for one in expected]


@pytest.mark.parametrize(
    "text",
    [
        "Tags = 'b' OR (City = 'Bonn' OR RunId = 'r')",
        "Tags = 'b' OR (City CONTAINS 'o' AND (City = 'Bonn' OR RunId = 'r'))",
    ],
)
def test_alternatives_within_alternatives_are_gathered_as_well(text: str) -> None:
    """Found by chance: SQLite takes no union within a union."""
    runs = [run(number, {CITY: "Bonn"} if number % 2 else {}) for number in range(4)]
    store = filled(in_memory(Bounds()), runs)
    bound = bind(parse(text), CATALOG, now_ms=NOW_MS)

    page = store.search(NS, bound, page_size=10, token="")

    found = {decode_summary(value).run_id for value in page.summaries}
    assert found == {one.run_id for one in runs if lets_through(bound.where, one)}
    assert len(found) == 2


@given(
    st.text(max_size=60)
    | CONDITIONS.flatmap(lambda text: st.text(max_size=5).map(lambda more: text + more))
)
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever is written, there is a filter or an error that says where."""
    refused: FilterError | None = None
    try:
        bind(parse(text), CATALOG, now_ms=NOW_MS)
    except FilterError as error:
        refused = error

    assert refused is None or 0 <= refused.position <= len(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "WorkflowTyp = 'Order'",
            "found 'WorkflowTyp'; did you mean WorkflowType? (at character 1)",
        ),
        ("City = 'x' AND Amnt > 3", "did you mean Amount? (at character 16)"),
        ("ExecutionStatus = 'Runing'", "did you mean Running? (at character 19)"),
        ("WorkflowType =", "Expected a value"),
        ("ORDR BY StartTime", "found 'ORDR'; did you mean ORDER? (at character 1)"),
        ("City = 'x' ORDR BY City", "found 'ORDR'; did you mean ORDER? (at character 12)"),
        ("City = 'x' ANDX Paid = TRUE", "found 'ANDX'; did you mean AND? (at character 12)"),
        ("City STARTSWITH 'x'", "did you mean STARTS_WITH? (at character 6)"),
        ("City IS NUL", "Expected NULL, found 'NUL'; did you mean NULL? (at character 9)"),
        ("Paid = TRUEE", "found 'TRUEE'; did you mean TRUE? (at character 8)"),
        ("ORDER BY City DSC", "found 'DSC'; did you mean DESC? (at character 15)"),
        ("WorkflowType = 'Order", "Expected a closing '"),
        (
            "StartTime > 'yesterday'",
            "Expected a time such as '2026-01-31T12:00:00Z' or NOW - 1h for StartTime",
        ),
        ("Amount = 'many'", "Expected a whole number for Amount, found 'many'"),
        ("Paid > TRUE", "Expected one of !=, = for Paid, which is a Bool, found >"),
        ("Amount STARTS_WITH 'x'", "for Amount, which is a Int, found STARTS_WITH"),
        ("WorkflowType = 'a' WorkflowId = 'b'", "Expected AND, OR, GROUP BY, ORDER BY or the end"),
        ("(WorkflowType = 'a'", "Expected ), found the end"),
        ("WorkflowType IN ()", "Expected a value"),
        ("ORDER BY Tags", "Expected an attribute with one value in ORDER BY, found Tags"),
        (
            "Amount = 1 ; DROP TABLE x",
            "Expected a name, a value or an operator, found '; DROP TABLE",
        ),
        (f"ExecutionDuration > '{10**20}h'", "Expected a duration such as '90m'"),
        (f"ExecutionDuration > {10**20}h", "Expected a duration of at most"),
        (f"ExecutionDuration > '{'9' * 400}h'", "Expected a duration such as '90m'"),
        (f"StartTime > NOW - {10**20}h", "Expected a duration of at most 62 bits"),
        ("(" * 60 + "Amount = 1" + ")" * 60, "Expected at most 50 parentheses"),
    ],
)
def test_errors_say_where_and_what_was_meant(text: str, said: str) -> None:
    """A position, what was expected, and the nearest name."""
    with pytest.raises(FilterError) as caught:
        bind(parse(text), CATALOG, now_ms=NOW_MS)

    assert said in str(caught.value)


def test_groups_are_counted_by_their_values() -> None:
    """Statuses by their names, missing values as None, the largest group first."""
    runs = [
        run(1, {CITY: "Bonn"}, status=Status.COMPLETED, closed_ms=1),
        run(2, {CITY: "Bonn"}, status=Status.COMPLETED, closed_ms=1),
        run(3, {}, status=Status.RUNNING),
    ]
    store = filled(Store.open(), runs)

    by_status = store.count(NS, bind(parse("GROUP BY ExecutionStatus"), CATALOG, now_ms=0))
    by_city = store.count(NS, bind(parse("GROUP BY City"), CATALOG, now_ms=0))

    assert [(group.count, tuple(group.values)) for group in by_status.groups] == [
        (2, ("Completed",)),
        (1, ("Running",)),
    ]
    assert [(group.count, tuple(group.values)) for group in by_city.groups] == [
        (2, ("Bonn",)),
        (1, (None,)),
    ]
    assert by_status.count == 3
    store.close()
