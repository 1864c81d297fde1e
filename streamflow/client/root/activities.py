"""Calls about activities that clients start: each is a run of a built-in workflow, on a queue that the namespace has for them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from streamflow.client.activities.events import events_of
from streamflow.client.activities.execution import ActivityExecutionDescription, described
from streamflow.client.activities.handle import ActivityHandle
from streamflow.client.activities.listing import (
    ActivityExecutionAsyncIterator,
    ActivityExecutionCount,
    about_activities,
    counted_activities,
)
from streamflow.client.activities.options import (
    ActivityExecutionOptions,
    change_of,
    changed_options,
    options_of,
)
from streamflow.client.calls.address import Address, expect, seconds
from streamflow.client.calls.backing_off import until_taken
from streamflow.client.calls.large import warn_of_large
from streamflow.client.calls.start import refuse_empty
from streamflow.client.calls.values import encode
from streamflow.client.errors import raise_refusal
from streamflow.client.inputs import (
    CancelActivityInput,
    CountActivitiesInput,
    DescribeActivityInput,
    ListActivitiesInput,
    PauseActivityInput,
    ResetActivityInput,
    StartActivityInput,
    TerminateActivityInput,
    UnpauseActivityInput,
    UpdateActivityOptionsInput,
)
from streamflow.client.root.calls import Calls
from streamflow.common import (
    RetryPolicy,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)
from streamflow.common.durations import optional_ms
from streamflow.converter import ActivitySerializationContext, encode_search_attributes
from streamflow.exceptions import ActivityAlreadyStartedError
from streamflow.model import standalone
from streamflow.model.answers import Description, Done, Reason, Rejection
from streamflow.model.commands import (
    ActivityControl,
    CancelWorkflow,
    ControlActivity,
    DescribeWorkflow,
    StartWorkflow,
    TerminateWorkflow,
)
from streamflow.model.options import ActivityTimeouts
from streamflow.model.standalone import StandaloneSpec

LONG_POLL_S = 20.0
"""How long a description waits for a change, unless told otherwise ..."""

LONG_POLL_APART_S = 0.1
"""... and how often it looks."""


class ActivityCalls(Calls):
    async def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        client = self._client
        refuse_empty("ActivityId", input.id)
        refuse_empty("TaskQueue", input.task_queue)
        if not (input.start_to_close_timeout or input.schedule_to_close_timeout):
            raise ValueError(
                "Activity must have start_to_close_timeout or schedule_to_close_timeout: "
                f"say how long {input.activity_type!r} may take"
            )
        if input.start_delay is not None and input.start_delay < timedelta(0):
            raise ValueError(f"start_delay must be non-negative, found {input.start_delay}")
        command = StartWorkflow(
            workflow_id=standalone.workflow_id_of(input.id),
            workflow_type=standalone.WORKFLOW_TYPE,
            args=(standalone.encode_spec(await self._spec(input)),),
            id_reuse_policy=input.id_reuse_policy._to_model(),
            id_conflict_policy=input.id_conflict_policy._to_model(),
            search_attributes=encode_search_attributes(_attributes(input)),
            static_summary=input.summary or "",
            identity=client.identity,
        )
        warn_of_large(command, client.service_client.config.payload_limits)
        answer = await until_taken(
            lambda left_s: client.transport.ask(standalone.QUEUE, command, deadline_s=left_s),
            seconds(input.rpc_timeout),
        )
        if isinstance(answer, Rejection):
            if answer.reason is Reason.ALREADY_STARTED:
                raise ActivityAlreadyStartedError(
                    input.id, input.activity_type, run_id=answer.run_id
                )
            raise_refusal(answer)
        run_id = expect(answer, Done).run_id or None
        return ActivityHandle(client, input.id, run_id=run_id, result_type=input.result_type)

    async def _spec(self, input: StartActivityInput) -> StandaloneSpec:
        timeouts = ActivityTimeouts(
            schedule_to_close_ms=optional_ms(input.schedule_to_close_timeout),
            schedule_to_start_ms=optional_ms(input.schedule_to_start_timeout),
            start_to_close_ms=optional_ms(input.start_to_close_timeout),
            heartbeat_ms=optional_ms(input.heartbeat_timeout),
        )
        converter = self._client.data_converter.with_context(
            ActivitySerializationContext(
                namespace=self._client.namespace,
                activity_id=input.id,
                activity_type=input.activity_type,
                activity_task_queue=input.task_queue,
                workflow_id=None,
                workflow_type=None,
                is_local=False,
            )
        )
        return StandaloneSpec(
            activity_id=input.id,
            activity_type=input.activity_type,
            queue=input.task_queue,
            args=await encode(converter, input.args),
            headers=await self._headers(input.headers),
            timeouts=timeouts,
            retry_policy=(input.retry_policy or RetryPolicy())._to_model(),
            summary=input.summary or "",
            **input.priority._to_model(),
            start_delay_ms=optional_ms(input.start_delay) or 0,
        )

    async def cancel_activity(self, input: CancelActivityInput) -> None:
        address = self._activity(input.activity_id, input.activity_run_id)
        command = CancelWorkflow(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            reason=input.reason or "",
            identity=self._client.identity,
        )
        expect(await address.ask(command, input.rpc_timeout), Done)

    async def terminate_activity(self, input: TerminateActivityInput) -> None:
        address = self._activity(input.activity_id, input.activity_run_id)
        command = TerminateWorkflow(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            reason=input.reason or "",
            identity=self._client.identity,
        )
        expect(await address.ask(command, input.rpc_timeout), Done)

    async def pause_activity(self, input: PauseActivityInput) -> None:
        await self._control(input, ActivityControl.PAUSE, reason=input.reason or "")

    async def unpause_activity(self, input: UnpauseActivityInput) -> None:
        await self._control(input, ActivityControl.UNPAUSE, reason=input.reason or "")

    async def reset_activity(self, input: ResetActivityInput) -> None:
        await self._control(
            input,
            ActivityControl.RESET,
            keep_paused=input.keep_paused,
            reset_heartbeat=input.reset_heartbeat,
            restore_options=input.restore_original_options,
        )

    async def update_activity_options(
        self, input: UpdateActivityOptionsInput
    ) -> ActivityExecutionOptions:
        if input.restore_original and input.updates:
            raise ValueError(
                f"restore_original cannot be combined with updates: found {len(input.updates)} of them; make two calls"
            )
        done = await self._control(
            input,
            ActivityControl.UPDATE_OPTIONS,
            options=change_of(input.updates) if input.updates else None,
            restore_options=input.restore_original,
        )
        return options_of(changed_options(done))

    async def _control(
        self,
        input: PauseActivityInput
        | UnpauseActivityInput
        | ResetActivityInput
        | UpdateActivityOptionsInput,
        control: ActivityControl,
        **asked: Any,
    ) -> Done:
        address = self._activity(input.activity_id, input.activity_run_id)
        command = ControlActivity(
            workflow_id=address.workflow_id,
            run_id=address.run_id,
            activity_id=input.activity_id,
            control=control,
            identity=self._client.identity,
            **asked,
        )
        return expect(await address.ask(command, input.rpc_timeout), Done)

    async def describe_activity(self, input: DescribeActivityInput) -> ActivityExecutionDescription:
        """With a token of an earlier answer: waits until there is something else to say, or for as long as it may."""
        loop = asyncio.get_running_loop()
        until = loop.time() + (seconds(input.rpc_timeout) or LONG_POLL_S)
        while True:
            found = await self._describe_activity(input)
            if found.long_poll_token != input.long_poll_token or loop.time() >= until:
                return found
            await asyncio.sleep(LONG_POLL_APART_S)

    async def _describe_activity(
        self, input: DescribeActivityInput
    ) -> ActivityExecutionDescription:
        address = self._activity(input.activity_id, input.activity_run_id)
        command = DescribeWorkflow(workflow_id=address.workflow_id, run_id=address.run_id)
        facts = expect(await address.ask(command, input.rpc_timeout), Description)
        events = await events_of(self._client, address.workflow_id, facts.run_id, input.rpc_timeout)
        return await described(facts, events, self._client.data_converter)

    def _activity(self, activity_id: str, run_id: str | None) -> Address:
        return self._address(standalone.workflow_id_of(activity_id), run_id, standalone.QUEUE)

    def list_activities(self, input: ListActivitiesInput) -> ActivityExecutionAsyncIterator:
        return ActivityExecutionAsyncIterator(self._client, input)

    async def count_activities(self, input: CountActivitiesInput) -> ActivityExecutionCount:
        found = await self._client.transport.count_executions(
            about_activities(input.query or ""), deadline_s=seconds(input.rpc_timeout)
        )
        return counted_activities(found)


def _attributes(input: StartActivityInput) -> TypedSearchAttributes:
    """The caller's, and those by which lists find the activity."""
    ours = {
        standalone.ACTIVITY_ID: input.id,
        standalone.ACTIVITY_TYPE: input.activity_type,
        standalone.TASK_QUEUE: input.task_queue,
    }
    pairs = [
        SearchAttributePair(SearchAttributeKey.for_keyword(name), value)
        for name, value in ours.items()
    ]
    return (input.search_attributes or TypedSearchAttributes.empty).updated(*pairs)
