"""The code under proof: accounts that pay each other, and sheets that numbers are appended to.

Neither remembers whose message it has had: a message that the engine lets through twice shows as money or a number too many.
What a transfer is follows from its number (`planned`), so that the checker needs nobody's word for it.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Final, NamedTuple

from streamflow import activity, workflow
from streamflow.common import RetryPolicy
from tests.witness import witness

ACCOUNTS: Final = 24
OPENING: Final = 1_000
RENEW_AFTER: Final = 150
"""So many messages fit one run of an account or a sheet; then it continues as new."""
PAID: Final = "paid"
REFUSED: Final = "refused"
_LIMIT: Final = timedelta(seconds=30)
_POLICY: Final = RetryPolicy(
    initial_interval=timedelta(milliseconds=100), maximum_interval=timedelta(seconds=2)
)


class Plan(NamedTuple):
    """One transfer. ``kind`` is how it is carried out."""

    kind: str
    source: str
    target: str
    amount: int


def planned(number: int) -> Plan:
    """Some ask for more than there is: those must be refused."""
    mixed = (number * 2_654_435_761) & 0xFFFFFFFF
    source = mixed % ACCOUNTS
    target = (source + 1 + (mixed >> 8) % (ACCOUNTS - 1)) % ACCOUNTS
    kind = ("signals", "children", "activity", "update")[(mixed >> 16) % 4]
    amount = 1 + (mixed >> 20) % 400
    return Plan(kind, account_id(source), account_id(target), amount)


def account_id(number: int) -> str:
    return f"account-{number}"


def transfer_id(number: int) -> str:
    return f"transfer-{number}"


def sheet_id(number: int) -> str:
    return f"sheet-{number}"


def flooded_id(number: int) -> str:
    """Of a sheet that is filled at once."""
    return f"flooded-{number}"


@workflow.defn(name="Account")
class Account:
    """Money, and whom to tell what became of it."""

    @workflow.init
    def __init__(self, balance: int) -> None:
        self.balance = balance
        self.messages = 0
        self.closing = False
        self.mail: list[tuple[str, str, list[object]]] = []

    @workflow.run
    async def run(self, balance: int) -> int:
        while True:
            await workflow.wait_condition(lambda: bool(self.mail) or self.closing)
            mail, self.mail = self.mail, []
            await asyncio.gather(
                *(
                    workflow.get_external_workflow_handle(to).signal(name, args=args)
                    for to, name, args in mail
                )
            )
            if self.mail:
                continue
            if self.closing:
                return self.balance
            if self.messages >= RENEW_AFTER:
                workflow.continue_as_new(self.balance)

    @workflow.signal
    def withdraw(self, transfer: str, amount: int) -> None:
        self.messages += 1
        said = REFUSED if amount > self.balance else PAID
        if said == PAID:
            self.balance -= amount
        self.mail.append((transfer, "answer", [said]))

    @workflow.signal
    def deposit(self, transfer: str, amount: int, is_to_be_told: bool) -> None:
        self.messages += 1
        self.balance += amount
        if is_to_be_told:
            self.mail.append((transfer, "answer", [PAID]))

    @workflow.update
    def pay(self, transfer: str, to: str, amount: int) -> str:
        """Moves money in one message; whether there was enough."""
        self.messages += 1
        if amount > self.balance:
            return REFUSED
        self.balance -= amount
        self.mail.append((to, "deposit", [transfer, amount, False]))
        return PAID

    @workflow.signal
    def close(self) -> None:
        self.closing = True

    @workflow.query
    def now(self) -> int:
        return self.balance


class _Asking:
    """Asks an account, and waits for what it says."""

    def __init__(self) -> None:
        self.answers: list[str] = []

    async def ask(self, account: str, name: str, *args: object) -> str:
        known = len(self.answers)
        await workflow.get_external_workflow_handle(account).signal(name, args=list(args))
        await workflow.wait_condition(lambda: len(self.answers) > known)
        return self.answers[known]


@workflow.defn(name="Leg")
class Leg(_Asking):
    """Half of a transfer, as a child."""

    @workflow.run
    async def run(self, account: str, name: str, args: list[object]) -> str:
        return await self.ask(account, name, workflow.info().workflow_id, *args)

    @workflow.signal
    def answer(self, said: str) -> None:
        self.answers.append(said)


@workflow.defn(name="Transfer")
class Transfer(_Asking):
    """Takes money from one account and gives it to another."""

    @workflow.run
    async def run(self, number: int) -> str:
        plan = planned(number)
        me = workflow.info().workflow_id
        amount = plan.amount
        if plan.kind == "activity":
            amount = await workflow.execute_activity(
                "quote", number, start_to_close_timeout=_LIMIT, retry_policy=_POLICY
            )
            await workflow.execute_local_activity(
                "note", number, start_to_close_timeout=_LIMIT, retry_policy=_POLICY
            )
        if plan.kind == "children":
            if await self._leg("out", plan.source, "withdraw", amount) == REFUSED:
                return REFUSED
            return await self._leg("in", plan.target, "deposit", amount, True)
        if await self.ask(plan.source, "withdraw", me, amount) == REFUSED:
            return REFUSED
        return await self.ask(plan.target, "deposit", me, amount, True)

    async def _leg(self, which: str, account: str, name: str, *args: object) -> str:
        said: str = await workflow.execute_child_workflow(
            "Leg",
            args=[account, name, list(args)],
            id=f"{workflow.info().workflow_id}/{which}",
        )
        return said

    @workflow.signal
    def answer(self, said: str) -> None:
        self.answers.append(said)


@workflow.defn(name="Sheet")
class Sheet:
    """Numbers in the order in which they came."""

    @workflow.init
    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers
        self.kept = len(numbers)
        self.closing = False

    @workflow.run
    async def run(self, numbers: list[int]) -> list[int]:
        await workflow.wait_condition(
            lambda: self.closing or len(self.numbers) - self.kept >= RENEW_AFTER
        )
        if not self.closing:
            workflow.continue_as_new(self.numbers)
        return self.numbers

    @workflow.update
    def append(self, number: int) -> int:
        """Where it stands now."""
        self.numbers.append(number)
        return len(self.numbers) - 1

    @workflow.signal
    def add(self, number: int) -> None:
        self.numbers.append(number)

    @workflow.signal
    def close(self) -> None:
        self.closing = True

    @workflow.query
    def read(self) -> list[int]:
        return self.numbers


# -- activities -------------------------------------------------------------------------------------------------------


@activity.defn(name="quote")
def quote(number: int) -> int:
    """What a transfer is about; every seventh is told only at the second try."""
    witness("quote", synced=False)
    if number % 7 == 0 and activity.info().attempt == 1:
        raise RuntimeError("The line is bad")
    return planned(number).amount


@activity.defn(name="note")
def note(number: int) -> None:
    witness("note", synced=False)


WORKFLOWS = [Account, Leg, Transfer, Sheet]
ACTIVITIES = [quote]
LOCAL = [note]
"""Run by processors, within a step's transaction."""
