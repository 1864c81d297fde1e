"""What runs together: `streamflow dev examples.subscription.app:app`."""

from __future__ import annotations

from examples.subscription.activities import charge, say_goodbye
from examples.subscription.workflows import Subscription
from streamflow.app import App

app = App("subscription", workflows=[Subscription], activities=[charge, say_goodbye])
