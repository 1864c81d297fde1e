"""What a bank promises: money moves once or not at all, nobody is in debt, and the sum stays as it was."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from streamflow.model.events import (
    Event,
    Input,
    SignalReceived,
    UpdateAccepted,
    UpdateCompleted,
    WorkflowCompleted,
    WorkflowContinuedAsNew,
    WorkflowStarted,
)
from streamflow.model.payload import Payload
from tests.reliability.cluster import programs
from tests.reliability.cluster.log_judge import Kind, Run, Wrong
from tests.reliability.cluster.told import Told


@dataclass(slots=True)
class _Moved:
    """What the accounts' histories say of one transfer."""

    withdrawals: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    deposits: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    was_paid: bool = False
    ended: list[str] = field(default_factory=list[str])


class Bank:
    """A ward over accounts and transfers; follows each balance from message to message, as the code must have."""

    def __init__(self) -> None:
        self.wrong: list[Wrong] = []
        self.balances: dict[str, int] = {}
        self.closed: set[str] = set()
        self._moved: defaultdict[int, _Moved] = defaultdict(_Moved)
        self._updates: dict[str, str] = {}

    @property
    def transfers(self) -> int:
        return len(self._moved)

    def started(self, run: Run, event: WorkflowStarted) -> None:
        if run.workflow_type == "Account":
            opening = self.balances.setdefault(run.workflow_id, programs.OPENING)
            self._expect_balance(run, opening, _value(event.args[0]))

    def consumed(self, run: Run, event: Input) -> None:
        if run.workflow_type != "Account":
            return
        match event:
            case SignalReceived(name="withdraw", args=args):
                who, amount = map(_value, args)
                self._withdraw(run.workflow_id, who, amount)
            case UpdateAccepted(name="pay", args=args, update_id=update):
                who, _, amount = map(_value, args)
                self._updates[update] = self._withdraw(run.workflow_id, who, amount)
            case SignalReceived(name="deposit", args=args):
                who, amount, _ = map(_value, args)
                self.balances[run.workflow_id] += amount
                self._moved[_number(who)].deposits.append((run.workflow_id, amount))
            case _:
                pass

    def did(self, run: Run, event: Event, appended_ms: int) -> None:
        match event:
            case WorkflowCompleted(result=result) if run.workflow_type == "Account":
                self.closed.add(run.workflow_id)
                self._expect_balance(run, self.balances[run.workflow_id], _value(result))
            case WorkflowContinuedAsNew(args=args) if run.workflow_type == "Account":
                self._expect_balance(run, self.balances[run.workflow_id], _value(args[0]))
            case WorkflowCompleted(result=result) if run.workflow_type == "Transfer":
                self._moved[_number(run.workflow_id)].ended.append(_value(result))
            case UpdateCompleted(update_id=update, result=result) if update in self._updates:
                expected, found = self._updates.pop(update), _value(result)
                if expected != found:
                    self._say(
                        "uncommitted", f"{update} was told {found}, its account says {expected}"
                    )
            case _:
                pass

    def finish(self, told: Iterable[Told]) -> None:
        """Once nothing moves any more."""
        acknowledged = {
            one.number: one.answer for one in told if one.ok and one.what in ("transfer", "pay")
        }
        for number, moved in self._moved.items():
            self._transfer(number, moved, acknowledged.get(number))
        for number in acknowledged.keys() - self._moved.keys():
            self._say("lost", f"transfer {number} was acknowledged, and no account knows of it")
        expected, found = programs.ACCOUNTS * programs.OPENING, sum(self.balances.values())
        if expected != found:
            kind: Kind = "lost" if found < expected else "doubled"
            self._say(kind, f"the accounts hold {found}, of {expected} that were there")
        for account in self.balances.keys() - self.closed:
            self._say("lost", f"{account} was closed, and has not ended")

    def _transfer(self, number: int, moved: _Moved, answer: str | None) -> None:
        plan = programs.planned(number)
        what = f"transfer {number} ({plan.kind})"
        wanted = [(plan.target, plan.amount)] if moved.was_paid else []
        self._expect_moves(f"{what}: withdrawals", [(plan.source, plan.amount)], moved.withdrawals)
        self._expect_moves(f"{what}: deposits", wanted, moved.deposits)
        result = programs.PAID if moved.was_paid else programs.REFUSED
        if answer is not None and answer != result:
            self._say("uncommitted", f"{what}: told {answer}, the accounts say {result}")
        if plan.kind != "update" and moved.ended != [result]:
            kind: Kind = "doubled" if len(moved.ended) > 1 else "lost"
            self._say(kind, f"{what}: expected the end {result}, found {moved.ended}")

    def _withdraw(self, account: str, who: str, amount: int) -> str:
        moved = self._moved[_number(who)]
        moved.withdrawals.append((account, amount))
        if amount > self.balances[account]:
            return programs.REFUSED
        self.balances[account] -= amount
        moved.was_paid = True
        return programs.PAID

    def _expect_balance(self, run: Run, expected: int, found: int) -> None:
        if expected != found or found < 0:
            kind: Kind = "lost" if found < expected else "doubled"
            self._say(kind, f"{run.workflow_id}: expected a balance of {expected}, found {found}")
            self.balances[run.workflow_id] = found

    def _expect_moves(
        self, what: str, expected: list[tuple[str, int]], found: list[tuple[str, int]]
    ) -> None:
        if expected != found:
            kind: Kind = "doubled" if len(found) > len(expected) else "lost"
            self._say(kind, f"{what}: expected {expected}, found {found}")

    def _say(self, kind: Kind, text: str) -> None:
        self.wrong.append(Wrong(kind, text))


def _number(who: str) -> int:
    """Of a transfer, from its name or that of one of its legs."""
    return int(who.partition("/")[0].rpartition("-")[2])


def _value(payload: Payload | None) -> Any:
    return None if payload is None else json.loads(payload.data)
