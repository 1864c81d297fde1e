"""Memo, search attributes and what came of the last run, as code sees and changes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from streamflow import workflow
from streamflow.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from streamflow.converter import encode_search_attributes
from streamflow.coroutine.errors import CodeFailed
from streamflow.model.intents import UpsertMemo, UpsertSearchAttributes
from tests.unit.coroutine.world import World, driven, failure, payload

TEXT = SearchAttributeKey.for_text("note")
COUNT = SearchAttributeKey.for_int("count")
TAGS = SearchAttributeKey.for_keyword_list("tags")
DUE = SearchAttributeKey.for_datetime("due")


@dataclass
class Address:
    street: str


def test_the_memo_is_read_with_and_without_types() -> None:
    async def reads() -> list[Any]:
        raw = workflow.info().raw_memo
        return [
            workflow.memo()["to"],
            workflow.memo_value("to", type_hint=Address).street,
            workflow.memo_value("nothing", "default"),
            sorted(raw),
        ]

    world = World(driven(reads), memo={"to": Address("Main St"), "n": 1})
    world.step()

    assert world.result == [{"street": "Main St"}, "Main St", "default", ["n", "to"]]


def test_a_name_that_the_memo_has_not_is_a_key_error() -> None:
    async def reads() -> str:
        with pytest.raises(KeyError, match="Memo does not have a value for key absent"):
            workflow.memo_value("absent")
        return "refused"

    world = World(driven(reads))
    world.step()

    assert world.result == "refused"


async def changes_memo() -> list[Any]:
    held, raw = workflow.memo(), workflow.info().raw_memo
    workflow.upsert_memo({})
    workflow.upsert_memo({"added": Address("Side St"), "n": 2, "gone": None, "never": None})
    await workflow.sleep(1)
    workflow.upsert_memo({"n": None})
    return [dict(workflow.memo()), held is workflow.memo(), sorted(raw)]


def test_upserts_add_replace_and_remove_and_are_seen_by_who_holds_the_memo() -> None:
    world = World(driven(changes_memo), memo={"n": 1, "gone": "x", "kept": True})

    first = world.step()[0]
    world.rebuild().fire(1).step()

    assert isinstance(first, UpsertMemo)
    assert (sorted(first.memo), first.removed) == (["added", "n"], ("gone", "never"))
    memo = {"kept": True, "added": {"street": "Side St"}}
    assert world.result == [memo, True, ["added", "kept"]]
    assert world.rebuild().instance.done


def test_a_value_that_cannot_be_encoded_changes_nothing() -> None:
    async def fails() -> list[str]:
        with pytest.raises(TypeError):
            workflow.upsert_memo({"fine": 1, "bad": object()})
        return sorted(workflow.memo())

    world = World(driven(fails), memo={"n": 1})
    [only] = world.step()

    assert (world.result, type(only).__name__) == (["n"], "CompleteRun")


async def changes_attributes() -> dict[str, Any]:
    held = workflow.info().typed_search_attributes
    workflow.upsert_search_attributes([])
    workflow.upsert_search_attributes(
        [
            TEXT.value_set("new"),
            COUNT.value_unset(),
            TAGS.value_set(["a", "b"]),
            DUE.value_set(datetime(2030, 1, 1, tzinfo=UTC)),
        ]
    )
    await workflow.sleep(1)
    assert held is workflow.info().typed_search_attributes
    assert held.get(COUNT) is None
    assert list(held) == [
        SearchAttributePair(DUE, datetime(2030, 1, 1, tzinfo=UTC)),
        SearchAttributePair(TEXT, "new"),
        SearchAttributePair(TAGS, ["a", "b"]),
    ]
    untyped = dict(workflow.info().search_attributes)
    assert untyped.pop("due") == [datetime(2030, 1, 1, tzinfo=UTC)]
    return untyped


def test_upserts_of_search_attributes_are_seen_at_once() -> None:
    began = TypedSearchAttributes([SearchAttributePair(TEXT, "old"), SearchAttributePair(COUNT, 1)])
    started = {"search_attributes": encode_search_attributes(began)}
    world = World(driven(changes_attributes), started=started)

    first = world.step()[0]
    world.rebuild().fire(1).step()

    assert isinstance(first, UpsertSearchAttributes)
    assert (sorted(first.search_attributes), first.removed) == (["due", "note", "tags"], ("count",))
    assert world.result == {"note": ["new"], "count": [], "tags": ["a", "b"]}


def test_the_form_without_types_warns_and_guesses() -> None:
    async def changes() -> list[Any]:
        with pytest.warns(DeprecationWarning, match="Dictionary-based search attributes"):
            workflow.upsert_search_attributes({"count": [5], "note": [], "tags": ["a", "b"]})
        typed = workflow.info().typed_search_attributes
        return [
            typed.get(COUNT),
            typed.get(TAGS),
            typed.get(TEXT),
            workflow.info().search_attributes,
        ]

    began = TypedSearchAttributes([SearchAttributePair(TEXT, "old")])
    started = {"search_attributes": encode_search_attributes(began)}
    world = World(driven(changes), started=started)
    world.step()

    untyped = {"note": [], "count": [5], "tags": ["a", "b"]}
    assert world.result == [5, ["a", "b"], None, untyped]


def test_the_form_without_types_keeps_the_type_that_a_name_has() -> None:
    async def changes() -> list[Any]:
        with pytest.warns(DeprecationWarning, match="Dictionary-based search attributes"):
            workflow.upsert_search_attributes({TEXT.name: ["new"], COUNT.name: ["three"]})
        keys = [pair.key for pair in workflow.info().typed_search_attributes]
        return [key.indexed_value_type.type_name for key in keys]

    began = TypedSearchAttributes([SearchAttributePair(TEXT, "old"), SearchAttributePair(COUNT, 1)])
    world = World(driven(changes), started={"search_attributes": encode_search_attributes(began)})
    world.step()

    assert world.result == ["Keyword", "Text"]


def test_a_value_of_another_type_leaves_the_run_stuck() -> None:
    async def changes() -> None:
        workflow.upsert_search_attributes([COUNT.value_set("3")])  # type: ignore[arg-type]  # the point

    world = World(driven(changes))
    with pytest.raises(CodeFailed, match="Expected a Int"):
        world.step()
    world.instance.evict()


async def looks_back() -> list[Any]:
    last = workflow.get_last_failure()
    return [
        workflow.has_last_completion_result(),
        workflow.get_last_completion_result(),
        str(last),
    ]


def test_a_first_run_has_nothing_behind_it() -> None:
    world = World(driven(looks_back))
    world.step()

    assert world.result == [False, None, "None"]


def test_a_later_run_sees_the_last_result_and_failure() -> None:
    started = {"last_result": (payload({"n": 1}),), "last_failure": failure("no luck")}
    world = World(driven(looks_back), started=started)
    world.step()

    assert world.result == [True, {"n": 1}, "Oops: no luck"]


def test_the_last_result_is_decoded_as_asked() -> None:
    async def reads() -> str:
        last = workflow.get_last_completion_result(Address)
        assert last is not None
        return last.street

    world = World(driven(reads), started={"last_result": (payload({"street": "Main St"}),)})
    world.step()

    assert world.result == "Main St"
