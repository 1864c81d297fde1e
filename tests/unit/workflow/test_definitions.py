"""Decorators accept what is sound, and say what is wrong otherwise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from streamflow import workflow
from streamflow.common import RawValue
from streamflow.coroutine.definition import definition_of


@workflow.defn(name="order")
class Order:
    @workflow.run
    async def run(self, order_id: str, count: int = 1) -> str:
        return order_id * count

    @workflow.signal
    async def pay(self, amount: int) -> None:
        """Pays."""

    @workflow.signal(name="other", unfinished_policy=workflow.HandlerUnfinishedPolicy.ABANDON)
    def another(self) -> None: ...

    @workflow.query(description="How far it is")
    def state(self) -> str:
        return "open"

    @workflow.update
    async def change(self, what: str) -> int:
        return 1

    @change.validator
    def check(self, what: str) -> None: ...


def test_a_class_knows_its_name_methods_and_hints() -> None:
    definition = definition_of(Order)
    assert definition is definition_of(Order.run)
    assert (definition.name, definition.dynamic) == ("order", False)
    assert definition.run_signature.arguments == (str, int)
    assert definition.run_signature.result is str
    assert set(definition.signals) == {"pay", "other"}
    assert definition.signals["pay"].signature.arguments == (int,)
    assert definition.signals["pay"].description is None
    assert definition.queries["state"].description == "How far it is"
    assert definition.updates["change"].validator is Order.check


def test_the_name_is_the_classs_unless_given() -> None:
    @workflow.defn
    class Plain:
        @workflow.run
        async def run(self) -> None: ...

    assert definition_of(Plain).name == "Plain"


def test_handlers_are_inherited_and_run_is_not() -> None:
    class Base:
        @workflow.signal
        def poke(self) -> None: ...

        @workflow.run
        async def run(self) -> None: ...

    @workflow.defn
    class Fine(Base):
        @workflow.run
        async def run(self) -> None: ...

    assert set(definition_of(Fine).signals) == {"poke"}
    with pytest.raises(ValueError, match="method run must be defined on Lazy, found it inherited"):
        workflow.defn(type("Lazy", (Base,), {}))


def test_an_undecorated_class_is_no_workflow() -> None:
    class Sub(Order):
        pass

    with pytest.raises(ValueError, match="only inherits from one"):
        definition_of(Sub)
    with pytest.raises(ValueError, match=r"expected a class decorated with @workflow\.defn"):
        definition_of(int)


def no_run() -> None:
    @workflow.defn
    class Bad: ...


def two_runs() -> None:
    @workflow.defn
    class Bad:
        @workflow.run
        async def run(self) -> None: ...

        @workflow.run
        async def again(self) -> None: ...


def plain_run() -> None:
    @workflow.run  # type: ignore[type-var]
    def run(self: object) -> None: ...


def needy_init() -> None:
    @workflow.defn
    class Bad:
        def __init__(self, a: int) -> None: ...

        @workflow.run
        async def run(self, a: int) -> None: ...


def other_init() -> None:
    @workflow.defn
    class Bad:
        @workflow.init
        def __init__(self, a: str) -> None: ...

        @workflow.run
        async def run(self, a: int) -> None: ...


def misplaced_init() -> None:
    @workflow.init
    def make(self: object) -> None: ...


def async_validator() -> None:
    @workflow.update
    async def change(self: object) -> None: ...

    @change.validator
    async def check(self: object) -> None: ...


def two_signals() -> None:
    @workflow.defn
    class Bad:
        @workflow.run
        async def run(self) -> None: ...

        @workflow.signal(name="a")
        def one(self) -> None: ...

        @workflow.signal(name="a")
        def two(self) -> None: ...


def undecorated_override() -> None:
    class Base:
        @workflow.signal
        def poke(self) -> None: ...

    @workflow.defn
    class Bad(Base):
        @workflow.run
        async def run(self) -> None: ...

        def poke(self) -> None: ...


def dynamic_with_other_parameters() -> None:
    @workflow.signal(dynamic=True)
    def any_(self: object, name: str, number: int) -> None: ...


def dynamic_run_with_other_parameters() -> None:
    @workflow.defn(dynamic=True)
    class Bad:
        @workflow.run
        async def run(self, number: int) -> None: ...


def dynamic_with_name() -> None:
    @workflow.query(dynamic=True, name="a")
    def any_(self: object, name: str, args: Sequence[RawValue]) -> None: ...


def reserved_name() -> None:
    @workflow.query
    def __stack_trace(self: object) -> None: ...

    workflow.query(name="__stack_trace")(lambda self: None)


def keyword_only() -> None:
    @workflow.signal
    def poke(self: object, *, amount: int) -> None: ...


@pytest.mark.parametrize(
    ("define", "message"),
    [
        (no_run, r"Invalid workflow class: Missing @workflow\.run method"),
        (two_runs, r"Multiple @workflow\.run methods found \(at least on run and again\)"),
        (plain_run, "write async def"),
        (needy_init, r"found a; decorate it with @workflow\.init"),
        (other_init, r"@workflow\.init and @workflow\.run method parameters do not match"),
        (misplaced_init, "on the __init__ method"),
        (async_validator, "write def, not async def"),
        (two_signals, r"Multiple signal methods found for a \(at least on two and one\)"),
        (
            undecorated_override,
            r"@workflow\.signal defined on .*Base\.poke but not on the override",
        ),
        (dynamic_with_other_parameters, "must have 3 arguments"),
        (dynamic_run_with_other_parameters, r"must accept a single Sequence\[.*RawValue\]"),
        (dynamic_with_name, "Cannot provide name and dynamic boolean"),
        (reserved_name, "not reserved"),
        (keyword_only, "keyword-only 'amount'"),
    ],
)
def test_what_is_wrong_is_said(define: Callable[[], None], message: str) -> None:
    with pytest.raises((ValueError, TypeError, RuntimeError), match=message):
        define()


def test_an_async_query_is_warned_of() -> None:
    with pytest.warns(DeprecationWarning, match="async def functions are deprecated"):

        @workflow.query
        async def ask(self: object) -> None: ...


def test_all_faults_are_said_at_once() -> None:
    with pytest.raises(ValueError, match="two") as caught:

        @workflow.defn
        class Bad:
            def __init__(self, a: int) -> None: ...

            @workflow.signal(name="a")
            def one(self) -> None: ...

            @workflow.signal(name="a")
            def two(self) -> None: ...

    message = str(caught.value)
    assert "3 reasons" in message
    assert "@workflow.init" in message


def test_hints_that_exist_only_for_type_checkers_count_as_absent() -> None:
    def method(self: object, a: NotThere, b: int) -> Any: ...  # type: ignore[name-defined]  # noqa: F821

    decorated = workflow.signal(method)
    assert decorated.__temporal_signal_definition.signature.arguments == (None, int)  # type: ignore[attr-defined]
