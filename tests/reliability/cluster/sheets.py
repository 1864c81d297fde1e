"""What a list promises: each acknowledged number stands in it once, in an order that clients' clocks allow; reads saw its past."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from streamflow.model.events import (
    Event,
    Input,
    SignalReceived,
    UpdateAccepted,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowStarted,
)
from streamflow.model.payload import Payload
from tests.reliability.cluster.log_judge import Kind, Run, Wrong
from tests.reliability.cluster.told import Told

APPENDS = ("append", "add")


class Sheets:
    """A ward over sheets; builds each list from the messages that the code was given."""

    def __init__(self) -> None:
        self.wrong: list[Wrong] = []
        self.lists: dict[str, list[int]] = {}
        self._ended: set[str] = set()

    @property
    def appends(self) -> int:
        return sum(map(len, self.lists.values()))

    def started(self, run: Run, event: WorkflowStarted) -> None:
        if run.workflow_type == "Sheet":
            known = self.lists.setdefault(run.workflow_id, [])
            self._expect(run, known, _value(event.args[0]))

    def consumed(self, run: Run, event: Input) -> None:
        if run.workflow_type != "Sheet":
            return
        match event:
            case SignalReceived(name="add", args=args) | UpdateAccepted(name="append", args=args):
                self.lists[run.workflow_id].append(_value(args[0]))
            case _:
                pass

    def did(self, run: Run, event: Event, appended_ms: int) -> None:
        if run.workflow_type != "Sheet":
            return
        match event:
            case WorkflowCompleted(result=result):
                self._ended.add(run.workflow_id)
                self._expect(run, self.lists[run.workflow_id], _value(result))
            case WorkflowContinuedAsNew(args=args):
                self._expect(run, self.lists[run.workflow_id], _value(args[0]))
            case _:
                pass

    def finish(self, told: Iterable[Told]) -> None:
        """Once nothing is appended any more."""
        by_sheet: defaultdict[str, list[Told]] = defaultdict(list)
        for one in told:
            if one.what in (*APPENDS, "read", "end"):
                by_sheet[one.name].append(one)
        for sheet, numbers in self.lists.items():
            asked = by_sheet[sheet]
            appends = {one.number: one for one in asked if one.what in APPENDS}
            self._members(sheet, numbers, appends)
            self._real_time(sheet, numbers, appends)
            for one in asked:
                if one.what == "read" and one.ok:
                    self._read(sheet, numbers, appends, one)
                if one.what == "end" and one.answer != numbers:
                    self._say("uncommitted", f"{sheet}: its end was told as {one.answer}")
            if sheet not in self._ended:
                self._say("lost", f"{sheet} was closed, and has not ended")

    def _members(self, sheet: str, numbers: list[int], appends: dict[int, Told]) -> None:
        places: defaultdict[int, list[int]] = defaultdict(list)
        for place, number in enumerate(numbers):
            places[number].append(place)
            if number not in appends:
                self._say("uncommitted", f"{sheet}: has {number}, which nobody appended")
        for number, one in appends.items():
            found = places[number]
            if len(found) > 1:
                self._say("doubled", f"{sheet}: {number} stands at {found}")
            elif one.ok and not found:
                self._say("lost", f"{sheet}: {number} was acknowledged, and is not there")
            elif one.ok and one.what == "append" and found != [one.answer]:
                self._say("order", f"{sheet}: {number} was told {one.answer}, stands at {found}")

    def _real_time(self, sheet: str, numbers: list[int], appends: dict[int, Told]) -> None:
        """A number that was acknowledged before another was sent stands before it."""
        earliest_end_ns, whose = float("inf"), 0
        for number in reversed(numbers):
            one = appends.get(number)
            if one is None:
                continue
            if earliest_end_ns < one.begun_ns:
                self._say(
                    "order", f"{sheet}: {number} stands before {whose}, which was there first"
                )
            if one.ok and one.ended_ns < earliest_end_ns:
                earliest_end_ns, whose = one.ended_ns, number

    def _read(self, sheet: str, numbers: list[int], appends: dict[int, Told], read: Told) -> None:
        seen: list[int] = read.answer
        if seen != numbers[: len(seen)]:
            self._say("uncommitted", f"{sheet}: a read saw {seen}, which never was")
            return
        for number in seen:
            if number in appends and appends[number].begun_ns > read.ended_ns:
                self._say("order", f"{sheet}: a read saw {number} before it was sent")
        known = set(seen)
        for number, one in appends.items():
            if one.ok and one.ended_ns < read.begun_ns and number not in known:
                self._say("lost", f"{sheet}: a read missed {number}, acknowledged before it")

    def _expect(self, run: Run, expected: list[int], found: list[int]) -> None:
        if expected != found:
            kind: Kind = "lost" if len(found) < len(expected) else "doubled"
            self._say(kind, f"{run.workflow_id}: expected {expected}, found {found}")
            self.lists[run.workflow_id] = list(found)

    def _say(self, kind: Kind, text: str) -> None:
        self.wrong.append(Wrong(kind, text))


def _value(payload: Payload | None) -> Any:
    return None if payload is None else json.loads(payload.data)
