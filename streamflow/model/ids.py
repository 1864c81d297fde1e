"""Names of things. All are text; a run's is a UUID in its canonical form."""

from __future__ import annotations

from typing import NewType

import msgspec

Namespace = NewType("Namespace", str)
QueueName = NewType("QueueName", str)
WorkflowId = NewType("WorkflowId", str)
"""Chosen by the caller; unique per namespace and queue; the key of every record about the workflow."""

RunId = NewType("RunId", str)
"""One execution of a workflow: a UUID in canonical form, 36 characters."""

MessageId = NewType("MessageId", str)
"""Names one message of a sender, so that its copies are answered from the first one's outcome."""

Op = NewType("Op", int)
"""The n-th operation that a run's code began (activity, timer, ...), counted from 1 over all kinds."""

Seq = NewType("Seq", int)
"""Place of an event in its run's history: 1, 2, 3, ... without gaps."""


class RunKey(msgspec.Struct, frozen=True, gc=False):
    """Names one run everywhere: the workflow it belongs to, and which of its runs."""

    workflow_id: WorkflowId
    run_id: RunId
