"""Withdraw, then deposit; if the deposit cannot be made, refund. No crash leaves money in between."""

from __future__ import annotations

from datetime import timedelta

from examples.money_transfer.bank import Transfer, deposit, refund, withdraw
from streamflow import workflow
from streamflow.common import RetryPolicy
from streamflow.exceptions import ActivityError
from streamflow.workflow import ActivityConfig

# A bank that does not answer is asked again, for as long as it takes ...
UNTIL_DONE: ActivityConfig = {"start_to_close_timeout": timedelta(seconds=10)}
# ... but a deposit that fails ten times is given up and undone.
A_FEW_TIMES: ActivityConfig = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(maximum_attempts=10),
}


@workflow.defn
class MoneyTransfer:
    @workflow.run
    async def run(self, transfer: Transfer) -> str:
        """The deposit's receipt. A transfer that fails has left both accounts as they were."""
        await workflow.execute_activity(withdraw, transfer, **UNTIL_DONE)
        try:
            return await workflow.execute_activity(deposit, transfer, **A_FEW_TIMES)
        except ActivityError:
            workflow.logger.warning("The deposit failed, refunding")
            await workflow.execute_activity(refund, transfer, **UNTIL_DONE)
            raise
