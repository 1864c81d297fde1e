"""Consumer groups as Kafka's classic protocol with cooperative-sticky assignment makes them look from outside.

        join          every member heard          its own poll
    (nobody) ----> LIVE <------------------+
                    |  ^ heard again       | rejoins as a new member
             silent |  |                   |
                    v  |                   |
                  SILENT --session over--> EXPIRED
       the instance joins again elsewhere: FENCED, for good          leave: LEFT

A rebalance completes when every member is heard (a silent one delays it until its session is over), and each completion
is a generation. A partition moves in two: its holder is told to revoke it, and its release starts the rebalance that
assigns it. A static member that joins again within its session takes its partitions over without any rebalance.

No threads and no waiting here: who needs them (the embedded log) guards the calls with its own lock.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Final, Protocol

from streamflow.ports import Aborted, Committed, Fenced, TopicPartition, Unavailable

SESSION_MS: Final = 6_000


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Timers(Protocol):
    """What a group needs of a clock."""

    def now_ms(self) -> int: ...

    def call_at(self, due_ms: int, call: Callable[[], None], /) -> Cancellable: ...


class Standing(enum.Enum):
    """How a member stands with its group."""

    LIVE = "live"
    SILENT = "silent"
    EXPIRED = "expired"
    FENCED = "fenced"
    LEFT = "left"

    @property
    def belongs(self) -> bool:
        return self in (Standing.LIVE, Standing.SILENT)


class Member:
    """One joining of an instance. ``held`` is what its process was told that it has, in order."""

    __slots__ = ("generation", "held", "instance", "session", "standing", "topics", "wake")

    def __init__(self, instance: str, topics: tuple[str, ...], wake: Callable[[], None]) -> None:
        self.instance = instance
        self.topics = topics
        self.wake = wake
        self.generation = -1  # none yet: it has part in the assignment from the next rebalance on
        self.standing = Standing.LIVE
        self.held: dict[TopicPartition, None] = {}
        self.session: Cancellable | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    """These partitions are the member's from now on."""

    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class Revoked:
    """These partitions will be another's, once `Group.release` is called for them."""

    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """These partitions are not the member's any more."""

    partitions: tuple[TopicPartition, ...]


News = Assigned | Revoked | Lost


class Group:
    """A consumer group: its members, who has which partition, and its committed positions."""

    def __init__(
        self,
        name: str,
        *,
        timers: Timers,
        partitions_of: Callable[[str], int],
        session_ms: int = SESSION_MS,
    ) -> None:
        self.name = name
        self.generation = 0
        self.positions = Positions(name)
        self._timers = timers
        self._partitions_of = partitions_of
        self._session_ms = session_ms
        self._members: dict[str, Member] = {}
        self._target: dict[TopicPartition, str] = {}
        self._holder: dict[TopicPartition, Member] = {}
        self._unsettled = False

    # -- membership

    def join(self, instance: str, topics: Sequence[str], wake: Callable[[], None]) -> Member:
        """A new member under this instance name; whoever had the name is fenced."""
        member = Member(instance, tuple(topics), wake)
        former = self._members.get(instance)
        self._members[instance] = member
        if former is None or former.topics != member.topics:
            self._unsettled = True
        if former is not None:
            member.generation = self.generation
            self._end(former, Standing.FENCED)
        self._settle()
        return member

    def leave(self, member: Member) -> None:
        self._remove(member, Standing.LEFT)

    def expire(self, member: Member) -> None:
        """The member's session is over: its partitions go to others, and it hears of it at its next poll."""
        self._remove(member, Standing.EXPIRED)

    def silence(self, member: Member) -> None:
        """Its heartbeats have stopped: its session begins to run out."""
        if member.standing is Standing.LIVE:
            member.standing = Standing.SILENT
            due_ms = self._timers.now_ms() + self._session_ms
            member.session = self._timers.call_at(due_ms, lambda: self.expire(member))

    def hear(self, member: Member) -> None:
        """It beats again; too late when its session is over."""
        if member.standing is Standing.SILENT:
            member.standing = Standing.LIVE
            self._stop_session(member)
            self._settle()

    def live_members(self) -> frozenset[str]:
        """Instance names as the coordinator sees them now: the silent count until their session is over."""
        return frozenset(self._members)

    def owners(self) -> dict[TopicPartition, str]:
        """Who was given which partition, as the coordinator sees it."""
        return {
            partition: member.instance
            for partition, member in self._holder.items()
            if member.standing.belongs
        }

    def forget_topics(self, topics: Set[str]) -> list[TopicPartition]:
        """These were deleted: nothing is committed or assigned of them any more. Gives what was committed."""
        if any(not topics.isdisjoint(member.topics) for member in self._members.values()):
            self.rebalance()
        return self.positions.forget_topics(topics)

    # -- assignment

    def rebalance(self) -> None:
        """Another generation, as after any change; with nothing changed the assignment stays."""
        self._unsettled = True
        self._settle()

    def news(self, member: Member) -> News | None:
        """What the member must be told next, from inside its poll; telling it is assumed."""
        if not member.standing.belongs:
            return Lost(_take(member.held)) if member.held else None
        if revoked := self._to_revoke(member):
            return Revoked(revoked)
        if assigned := self._to_assign(member):
            for partition in assigned:
                member.held[partition] = None
                self._holder[partition] = member
            return Assigned(assigned)
        return None

    def release(self, member: Member, partitions: Iterable[TopicPartition]) -> None:
        """The member has given these up: the rebalance that hands them on begins."""
        for partition in partitions:
            member.held.pop(partition, None)
            if self._holder.get(partition) is member:
                del self._holder[partition]
        if member.standing.belongs:
            self.rebalance()

    def check(self, member: Member) -> None:
        """Whether the member may commit, as the coordinator judges it (it does not look at partitions).

        Raises:
            Fenced: it is no member any more.
            Aborted: its generation is over; it learns the new one by polling.
        """
        if not member.standing.belongs:
            raise Fenced(
                f"Expected {member.instance!r} to be a member of group {self.name!r}, found it "
                f"{member.standing.value}; give its partitions up and poll to join again"
            )
        if member.generation != self.generation:
            raise Aborted(
                f"Expected generation {self.generation} of group {self.name!r}, found "
                f"{member.generation}; poll and replay from the committed offsets"
            )

    def _remove(self, member: Member, standing: Standing) -> None:
        if not member.standing.belongs:
            return
        del self._members[member.instance]
        self._end(member, standing)
        self.rebalance()

    def _end(self, member: Member, standing: Standing) -> None:
        self._stop_session(member)
        member.standing = standing
        for partition in member.held:
            if self._holder.get(partition) is member:
                del self._holder[partition]
        member.wake()

    @staticmethod
    def _stop_session(member: Member) -> None:
        if member.session is not None:
            member.session.cancel()
            member.session = None

    def _settle(self) -> None:
        """Completes the rebalance if one is wanted and every member is heard; tells those with news."""
        silent = any(m.standing is Standing.SILENT for m in self._members.values())
        if self._unsettled and not silent:
            self._unsettled = False
            self.generation += 1
            self._target = assign(self._members.values(), self._partitions_of, self._target)
            for member in self._members.values():
                member.generation = self.generation
        for member in list(self._members.values()):
            if self._to_revoke(member) or self._to_assign(member):
                member.wake()

    def _to_revoke(self, member: Member) -> tuple[TopicPartition, ...]:
        return tuple(p for p in member.held if self._target.get(p) != member.instance)

    def _to_assign(self, member: Member) -> tuple[TopicPartition, ...]:
        if member.generation != self.generation:
            return ()
        return tuple(
            partition
            for partition, instance in self._target.items()
            if instance == member.instance and partition not in self._holder
        )


class Positions:
    """A group's committed offsets, with the transactions that still decide about them."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._stamp = 0
        self._committed: dict[TopicPartition, tuple[int, Committed]] = {}
        self._undecided: dict[int, Mapping[TopicPartition, Committed]] = {}

    def commit(self, offsets: Mapping[TopicPartition, Committed]) -> None:
        self.decide(self.stage(offsets), committed=True)

    def stage(self, offsets: Mapping[TopicPartition, Committed]) -> int:
        """Positions of a transaction not yet decided; returns the handle to decide with."""
        self._stamp += 1
        self._undecided[self._stamp] = dict(offsets)
        return self._stamp

    def decide(self, stamp: int, *, committed: bool) -> None:
        """A position staged later wins over one staged earlier, in whatever order they are decided."""
        offsets = self._undecided.pop(stamp)
        if not committed:
            return
        for partition, position in offsets.items():
            if self._committed.get(partition, (0, position))[0] < stamp:
                self._committed[partition] = (stamp, position)

    def stable(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, Committed | None]:
        """Raises `Unavailable` while a transaction decides about one of them."""
        asked = list(partitions)
        for partition in asked:
            if self.is_undecided(partition):
                raise Unavailable(
                    f"Expected the position of {partition.topic}/{partition.partition} in group "
                    f"{self._group!r} to be decided, found a transaction undecided; ask again"
                )
        return self.decided(asked)

    def decided(
        self, partitions: Iterable[TopicPartition]
    ) -> dict[TopicPartition, Committed | None]:
        """The last decided positions, whatever may be under way."""
        entries = {partition: self._committed.get(partition) for partition in partitions}
        return {
            partition: None if entry is None else entry[1] for partition, entry in entries.items()
        }

    def is_undecided(self, partition: TopicPartition) -> bool:
        return any(partition in offsets for offsets in self._undecided.values())

    def forget_topics(self, topics: Set[str]) -> list[TopicPartition]:
        """As brokers do when topics are deleted. Gives the partitions that had a position."""
        gone = [partition for partition in self._committed if partition.topic in topics]
        for partition in gone:
            del self._committed[partition]
        return gone

    def forget(self) -> None:
        """As brokers do with the offsets of a group that was idle for long (7 days by default)."""
        self._committed.clear()


def assign(
    members: Iterable[Member],
    partitions_of: Callable[[str], int],
    former: Mapping[TopicPartition, str],
) -> dict[TopicPartition, str]:
    """Instance by partition: as even as the subscriptions allow, moving as few as possible."""
    ordered = sorted(members, key=lambda m: m.instance)
    topics = sorted({topic for member in ordered for topic in member.topics})
    subscribers = {topic: [m.instance for m in ordered if topic in m.topics] for topic in topics}
    load = {member.instance: 0 for member in ordered}
    target: dict[TopicPartition, str] = {}
    free: list[TopicPartition] = []
    for topic in topics:
        for number in range(partitions_of(topic)):
            partition = TopicPartition(topic, number)
            instance = former.get(partition)
            if instance is not None and instance in subscribers[topic]:
                target[partition] = instance
                load[instance] += 1
            else:
                free.append(partition)
    for partition in free:
        instance = min(subscribers[partition.topic], key=load.__getitem__)
        target[partition] = instance
        load[instance] += 1
    _even_out(target, subscribers, load)
    return dict(sorted(target.items()))


def _even_out(
    target: dict[TopicPartition, str], subscribers: Mapping[str, list[str]], load: dict[str, int]
) -> None:
    """Moves from the fullest to the emptiest until they differ by one, from the last partition down."""
    moved = True
    while moved:
        moved = False
        for partition in sorted(target, reverse=True):
            giver = target[partition]
            taker = min(subscribers[partition.topic], key=load.__getitem__)
            if load[giver] - load[taker] >= 2:
                target[partition] = taker
                load[giver] -= 1
                load[taker] += 1
                moved = True


def _take(held: dict[TopicPartition, None]) -> tuple[TopicPartition, ...]:
    taken = tuple(held)
    held.clear()
    return taken
