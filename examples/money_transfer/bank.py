"""A pretended bank, and the activities that ask it. In memory; each order is carried out once, by its reference."""

from __future__ import annotations

from dataclasses import dataclass, field

from streamflow import activity
from streamflow.exceptions import ApplicationError


@dataclass(frozen=True)
class Transfer:
    """Cents from one account to another."""

    source: str
    target: str
    cents: int


@dataclass
class Bank:
    balances: dict[str, int] = field(default_factory=dict)
    done: set[str] = field(default_factory=set)
    """References of what was carried out: asking again changes nothing."""

    def move(self, reference: str, account: str, cents: int) -> str:
        """Adds to an account, or takes from it when negative; gives the reference back as a receipt."""
        if reference in self.done:
            return reference
        if account not in self.balances:
            raise ApplicationError(
                f"There is no account {account!r}", type="UnknownAccount", non_retryable=True
            )
        if self.balances[account] + cents < 0:
            raise ApplicationError(
                f"There is not enough on {account!r}", type="InsufficientFunds", non_retryable=True
            )
        self.balances[account] += cents
        self.done.add(reference)
        return reference


bank = Bank({"alice": 100_00, "bob": 20_00})


@activity.defn
async def withdraw(transfer: Transfer) -> str:
    return bank.move(_reference("withdraw"), transfer.source, -transfer.cents)


@activity.defn
async def deposit(transfer: Transfer) -> str:
    return bank.move(_reference("deposit"), transfer.target, transfer.cents)


@activity.defn
async def refund(transfer: Transfer) -> str:
    return bank.move(_reference("refund"), transfer.source, transfer.cents)


def _reference(step: str) -> str:
    return f"{activity.info().workflow_id}/{step}"
