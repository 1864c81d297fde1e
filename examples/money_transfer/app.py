"""What runs together: `streamflow dev examples.money_transfer.app:app`."""

from __future__ import annotations

from examples.money_transfer.bank import deposit, refund, withdraw
from examples.money_transfer.workflows import MoneyTransfer
from streamflow.app import App

app = App("money-transfer", workflows=[MoneyTransfer], activities=[withdraw, deposit, refund])
