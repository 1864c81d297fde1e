"""Who stands by: those whom the group would give the partition to, the same for everybody who asks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from streamflow.processor.partitions.placing import standbys

names = st.sampled_from(["a", "b", "c", "d", "pod-1", "pod-10", "pod-2"])
groups = st.tuples(
    st.dictionaries(st.integers(0, 11), names), st.sets(names, min_size=1), st.integers(0, 3)
)


@given(groups)
def test_nobody_stands_by_for_itself_and_nobody_twice(
    group: tuple[dict[int, str], set[str], int],
) -> None:
    """As many as asked for, as long as there are others."""
    owners, members, copies = group

    for number, chosen in standbys(owners, members, copies).items():
        others = members - {owners[number]}
        assert len(set(chosen)) == len(chosen) == min(copies, len(others))
        assert set(chosen) <= others


@given(groups)
def test_the_order_of_what_one_is_told_does_not_matter(
    group: tuple[dict[int, str], set[str], int],
) -> None:
    owners, members, copies = group
    turned = dict(reversed(owners.items()))

    assert standbys(owners, sorted(members), copies) == standbys(
        turned, sorted(members, reverse=True), copies
    )


def test_what_becomes_free_goes_from_the_highest_down_to_who_has_the_fewest() -> None:
    """As the assignor does it: the first by name of those who have as few."""
    owners = {0: "a", 3: "a", 1: "b", 4: "b", 2: "c"}

    placed = standbys(owners, {"a", "b", "c"}, 1)

    assert placed == {0: ["b"], 3: ["c"], 1: ["a"], 4: ["c"], 2: ["a"]}


def test_a_member_without_partitions_is_the_first_to_get_some() -> None:
    owners = {0: "a", 1: "b"}

    assert standbys(owners, {"a", "b", "spare"}, 1) == {0: ["spare"], 1: ["spare"]}


def test_the_second_is_who_would_have_it_if_the_first_were_gone_too() -> None:
    owners = {0: "a", 1: "b", 2: "c"}

    assert standbys(owners, {"a", "b", "c"}, 2)[0] == ["b", "c"]
