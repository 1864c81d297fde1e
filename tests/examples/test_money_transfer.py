"""Money arrives or comes back; it is never in between."""

from __future__ import annotations

from uuid import uuid4

import pytest

from examples.money_transfer.app import app
from examples.money_transfer.bank import Transfer, bank
from examples.money_transfer.workflows import MoneyTransfer
from streamflow.client import WorkflowFailureError
from tests.examples.stage import Stage

pytestmark = pytest.mark.asyncio


@pytest.fixture
def accounts() -> tuple[str, str]:
    """Two accounts of this test alone, with 100 and 20 cents."""
    source, target = f"source-{uuid4()}", f"target-{uuid4()}"
    bank.balances |= {source: 100, target: 20}
    return source, target


async def transfer(stage: Stage, source: str, target: str, cents: int) -> str:
    async with stage.worker(app):
        return await stage.client.execute_workflow(
            MoneyTransfer.run,
            Transfer(source, target, cents),
            id=f"transfer-{uuid4()}",
            task_queue=app.queue,
        )


async def test_money_moves_from_one_account_to_the_other(
    stage: Stage, accounts: tuple[str, str]
) -> None:
    """What is withdrawn here is deposited there, and the receipt says which deposit it was."""
    source, target = accounts

    receipt = await transfer(stage, source, target, 30)

    assert receipt.endswith("/deposit")
    assert (bank.balances[source], bank.balances[target]) == (70, 50)


async def test_a_deposit_that_cannot_be_made_is_refunded(
    stage: Stage, accounts: tuple[str, str]
) -> None:
    """The withdrawal is compensated, and the transfer fails with the reason."""
    source, _ = accounts

    with pytest.raises(WorkflowFailureError) as failed:
        await transfer(stage, source, "nowhere", 30)

    assert "There is no account 'nowhere'" in str(failed.value.cause.__cause__)
    assert bank.balances[source] == 100


async def test_a_withdrawal_that_cannot_be_made_changes_nothing(
    stage: Stage, accounts: tuple[str, str]
) -> None:
    """Nothing was taken, so nothing is given back."""
    source, target = accounts

    with pytest.raises(WorkflowFailureError):
        await transfer(stage, source, target, 101)

    assert (bank.balances[source], bank.balances[target]) == (100, 20)
