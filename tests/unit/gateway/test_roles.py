"""What grants make of somebody, and how filters are kept to what they may see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamflow.gateway.access import EVERYBODY, Grant, Principal, Role
from streamflow.gateway.access.filters import among_types
from streamflow.gateway.access.sealing import Sealer
from streamflow.service import RPCError, RPCStatusCode
from streamflow.visibility.parsing import parse
from streamflow.visibility.syntax import And, In

GRANTS = (
    Grant(role=Role.VIEWER, to=("anyone",), namespaces=("public",)),
    Grant(role=Role.OPERATOR, to=("group:on-call",), namespaces=("shop",)),
    Grant(role=Role.OPERATOR, to=("token:orders",), workflow_types=("Order", "Refund")),
    Grant(role=Role.ADMIN, to=("user:ada",)),
)


def someone(*identities: str) -> Principal:
    return Principal.of(identities[0] if identities else "", identities, GRANTS)


def test_the_highest_grant_counts_where_it_holds() -> None:
    """By namespace and by type; whoever has none has nothing."""
    assert someone().role("public") is Role.VIEWER
    assert someone().role("shop") is None
    assert someone("user:bo", "group:on-call").role("shop") is Role.OPERATOR
    assert someone("user:bo", "group:on-call").role("public") is Role.VIEWER
    assert someone("user:ada", "group:on-call").role("shop") is Role.ADMIN
    assert EVERYBODY.role("anything") is Role.ADMIN


def test_a_grant_for_types_says_nothing_of_the_whole_namespace() -> None:
    """Declaring attributes, or reading dead letters, concerns workflows of every type."""
    orders = someone("token:orders")
    assert orders.role("shop", "Order") is Role.OPERATOR
    assert orders.role("shop", "Payment") is None
    assert orders.role("shop") is None
    assert orders.types("shop") == frozenset({"Order", "Refund"})
    assert orders.types("public") is None, "anyone may see all of it"
    assert orders.sees("shop")
    assert not someone().sees("shop")


def test_a_refusal_says_what_is_needed_and_what_is_there() -> None:
    """So that one knows what to ask for."""
    with pytest.raises(RPCError) as raised:
        someone("token:orders").require(Role.ADMIN, "shop", "Order")
    assert raised.value.status is RPCStatusCode.PERMISSION_DENIED
    assert (
        "Expected the role admin in namespace 'shop' for workflows of type 'Order', found operator of token:orders"
        in raised.value.message
    )


@pytest.mark.parametrize(
    ("query", "narrowed"),
    [
        ("", "WorkflowType IN ('A', 'B''s')"),
        ("x = 1 OR y = 2", "(x = 1 OR y = 2) AND WorkflowType IN ('A', 'B''s')"),
        ("GROUP BY WorkflowType", "WorkflowType IN ('A', 'B''s') GROUP BY WorkflowType"),
        (
            "a = 'ORDER BY b' order by StartTime DESC",
            "(a = 'ORDER BY b') AND WorkflowType IN ('A', 'B''s') order by StartTime DESC",
        ),
    ],
)
def test_a_filter_is_narrowed_to_types(query: str, narrowed: str) -> None:
    """Conditions in parentheses; what sorts or groups stays at the end."""
    assert among_types(query, ["B's", "A"]) == narrowed
    parse(narrowed)


@given(st.text(alphabet="ab=1'()\\\" ORDNBY", max_size=30))
def test_no_filter_gets_out_of_its_parentheses(query: str) -> None:
    """Whatever is written, the outermost condition is ours, or it is refused."""
    try:
        narrowed = among_types(query, ["T"])
    except RPCError:
        return
    where = parse(narrowed).where
    ours = where.parts[-1] if isinstance(where, And) else where
    assert isinstance(ours, In)
    assert (ours.name.text, [one.value for one in ours.literals]) == ("WorkflowType", ["T"])


def test_what_is_sealed_is_ours_and_for_one_purpose_and_a_while() -> None:
    """Anything else is as good as nothing."""
    sealer = Sealer(b"k" * 32)
    sealed = sealer.seal("session", {"who": "ada"}, seconds=60)
    found = sealer.unseal("session", sealed)
    assert found is not None
    assert found["who"] == "ada"
    body, _, mark = sealed.partition(".")

    for bad in (f"{body}x.{mark}", f"{body}.{mark[:-1]}", body, "", ".", "é.é"):
        assert sealer.unseal("session", bad) is None, bad
    assert sealer.unseal("login", sealed) is None
    assert Sealer(b"l" * 32).unseal("session", sealed) is None
    assert sealer.unseal("session", sealer.seal("session", {}, seconds=-1)) is None
