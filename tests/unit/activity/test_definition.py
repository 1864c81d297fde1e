"""What a function says of itself as an activity."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streamflow import activity
from streamflow.activity import definition_of
from streamflow.common import RawValue


@activity.defn
async def charge(amount: int, currency: str = "EUR") -> bool:
    return amount > 0 and bool(currency)


@activity.defn(name="pack-it")
def pack(items: list[str]) -> str:
    return ",".join(items)


@activity.defn(dynamic=True)
async def anything(args: Sequence[RawValue]) -> int:
    return len(args)


@activity.defn
class Counter:
    def __call__(self, start: int) -> int:
        return start + 1


class Shop:
    @activity.defn
    async def sell(self, sku: str) -> str:
        return f"sold {sku}"


def test_a_function_is_named_after_itself() -> None:
    """Without a name given, the activity's type is the function's name."""
    definition = definition_of(charge)

    assert (definition.name, definition.is_async) == ("charge", True)
    assert definition.arg_types == [int, str]
    assert definition.ret_type is bool


def test_a_name_and_a_plain_function() -> None:
    """A given name wins, and a sync function is known to need a thread."""
    definition = definition_of(pack)

    assert (definition.name, definition.is_async) == ("pack-it", False)


def test_a_method_is_registered_bound() -> None:
    """``self`` is not an argument, and the bound method is what runs."""
    shop = Shop()

    definition = definition_of(shop.sell)

    assert definition.arg_types == [str]
    assert definition.fn == shop.sell


def test_an_instance_of_a_callable_class_is_an_activity() -> None:
    """The class carries the name, an instance is registered."""
    definition = definition_of(Counter())

    assert (definition.name, definition.arg_types, definition.is_async) == (
        "Counter",
        [int],
        False,
    )
    assert definition.fn(1) == 2


def test_the_class_itself_is_refused_with_advice() -> None:
    """One sees at once that an instance is wanted."""
    with pytest.raises(TypeError, match=r"Counter\(\)"):
        definition_of(Counter)


def test_an_undecorated_function_is_refused_with_advice() -> None:
    """The message names the decorator that is missing."""
    with pytest.raises(TypeError, match=r"@activity\.defn"):
        definition_of(len)


def test_a_dynamic_activity_has_no_name() -> None:
    """It takes every type that no other activity has."""
    assert definition_of(anything).dynamic


def test_keyword_only_parameters_are_refused() -> None:
    """Arguments travel by position: a parameter that could never be given is an error at once."""
    with pytest.raises(TypeError, match="'urgent'"):

        @activity.defn
        async def send(to: str, *, urgent: bool) -> None:
            assert to
            assert urgent


def test_hints_are_padded_to_the_number_of_arguments() -> None:
    """Fewer or more arguments than parameters are decoded all the same."""
    assert definition_of(charge).hints_for(1) == (int,)
    assert definition_of(charge).hints_for(3) == (int, str, None)
