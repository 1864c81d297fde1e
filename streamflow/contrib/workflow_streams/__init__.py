"""A stream out of a running workflow: an ordered log that it and others publish to, and that anybody reads from an offset.

    @workflow.defn
    class Order:
        @workflow.init
        def __init__(self, order: OrderInput) -> None:
            self.stream = WorkflowStream(order.stream)
            self.status = self.stream.topic("status", type=str)

    async for item in WorkflowStreamClient.create(client, "order-1").subscribe("status", result_type=str):
        print(item.offset, item.data)

Made of the workflow API alone: a signal carries a batch of items, an update waits for the next ones, a query tells the
end of the log. The log is part of the workflow's state. It has no bound of its own: `WorkflowStream.truncate` what has
been read, and continue as new with `WorkflowStream.continue_as_new`, which hands the log on to the next run.
"""

from __future__ import annotations

from streamflow.contrib.workflow_streams.client import WorkflowStreamClient
from streamflow.contrib.workflow_streams.stream import WorkflowStream
from streamflow.contrib.workflow_streams.topics import TopicHandle, WorkflowTopicHandle
from streamflow.contrib.workflow_streams.wire import (
    PollInput,
    PollResult,
    PublishEntry,
    PublisherState,
    PublishInput,
    WorkflowStreamItem,
    WorkflowStreamState,
)

__all__ = [
    "PollInput",
    "PollResult",
    "PublishEntry",
    "PublishInput",
    "PublisherState",
    "TopicHandle",
    "WorkflowStream",
    "WorkflowStreamClient",
    "WorkflowStreamItem",
    "WorkflowStreamState",
    "WorkflowTopicHandle",
]
