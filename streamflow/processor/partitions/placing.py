"""Who stands by for which partition: whoever the group would give it to if its owner went away.

Nobody tells anybody: each process asks the group who is in it and who has what, and all come to the same answer. The
client library's assignor is deterministic as well (cooperative-sticky, seen in librdkafka 2.16): who stays keeps what it has, and
what became free is given out from the highest partition down, each to whoever has the fewest, the first by name of those.
So the state is where the partition will go.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping


def standbys(
    owners: Mapping[int, str], members: Collection[str], copies: int
) -> dict[int, list[str]]:
    """Of each partition that has an owner, in the order in which they would come to own it; fewer where there are not so
    many members."""
    found: dict[int, list[str]] = {}
    heirs: dict[frozenset[str], dict[int, str]] = {}
    for number, owner in owners.items():
        chosen: list[str] = []
        while len(chosen) < copies:
            gone = frozenset([owner, *chosen])
            if gone not in heirs:
                heirs[gone] = _heirs(owners, members, gone)
            heir = heirs[gone].get(number)
            if heir is None:
                break  # nobody is left
            chosen.append(heir)
        found[number] = chosen
    return found


def _heirs(
    owners: Mapping[int, str], members: Collection[str], gone: frozenset[str]
) -> dict[int, str]:
    """Who would have the partitions of those who are gone."""
    have = {member: 0 for member in members if member not in gone}
    for owner in owners.values():
        if owner in have:
            have[owner] += 1
    heirs: dict[int, str] = {}
    if not have:
        return heirs
    for number in sorted((n for n, owner in owners.items() if owner not in have), reverse=True):
        heir = min(have, key=lambda member: (have[member], _member_id(member)))
        heirs[number] = heir
        have[heir] += 1
    return heirs


def _member_id(member: str) -> bytes:
    """As the coordinator makes it of a static member's name, up to a random end."""
    return member.encode() + b"-"
