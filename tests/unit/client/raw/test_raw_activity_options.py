"""Requests that change the options of pending activities."""

from __future__ import annotations

import importlib
from datetime import timedelta
from typing import Any

import pytest

from streamflow.api.activity.v1 import ActivityOptions
from streamflow.api.field_mask import FieldMask
from streamflow.api.workflowservice import v1 as api
from streamflow.client import Client, RPCError, RPCStatusCode
from tests.unit.client.raw.programs import Retries, begun, named

pytestmark = pytest.mark.asyncio

GOOGLE: Any = importlib.import_module("google.protobuf.field_mask_pb2").FieldMask


def _options(**fields: Any) -> ActivityOptions:
    made = ActivityOptions(**fields)
    made.retry_policy.maximum_attempts = 7
    made.task_queue.name = "elsewhere"
    return made


async def _pending(client: Client) -> None:
    handle = await begun(client, Retries)
    while not (await handle.describe()).raw_description.pending_activities:
        pass


async def test_what_the_mask_names_is_changed_and_the_rest_stays(client: Client) -> None:
    """With our class of masks, or the protobuf library's; of one activity, of a type, or of all."""
    await _pending(client)
    options = _options(heartbeat_timeout=timedelta(seconds=9))
    chosen: tuple[dict[str, Any], ...] = ({"id": "one"}, {"type": "fails"}, {"match_all": True})

    for mask in (FieldMask, GOOGLE):
        for which in chosen:
            request = api.UpdateActivityOptionsRequest(
                execution=named(),
                activity_options=options,
                update_mask=mask(paths=["heartbeat_timeout", "retry_policy.maximum_attempts"]),
                **which,
            )
            now = (await client.workflow_service.update_activity_options(request)).activity_options

            assert now.heartbeat_timeout.ToTimedelta() == timedelta(seconds=9)
            assert now.retry_policy.maximum_attempts == 7
            assert now.schedule_to_close_timeout.ToTimedelta() == timedelta(days=10)
            assert now.task_queue.name != "elsewhere"


async def test_options_are_taken_back(client: Client) -> None:
    """By a request of their own, or as the activity is reset."""
    await _pending(client)
    change = api.UpdateActivityOptionsRequest(
        execution=named(),
        id="one",
        activity_options=_options(heartbeat_timeout=timedelta(seconds=9)),
        update_mask=FieldMask(paths=["heartbeat_timeout"]),
    )
    restore = api.UpdateActivityOptionsRequest(execution=named(), id="one", restore_original=True)
    service = client.workflow_service

    for take_back in (
        service.update_activity_options(restore),
        service.reset_activity(
            api.ResetActivityRequest(execution=named(), id="one", restore_original_options=True)
        ),
    ):
        changed = await service.update_activity_options(change)
        assert changed.activity_options.HasField("heartbeat_timeout")
        await take_back
        now = await service.update_activity_options(restore)
        assert not now.activity_options.HasField("heartbeat_timeout")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"id": "one"}, RPCStatusCode.INVALID_ARGUMENT, "neither"),
        (
            {"id": "one", "restore_original": True, "update_mask": FieldMask(paths=["priority"])},
            RPCStatusCode.INVALID_ARGUMENT,
            "both",
        ),
        (
            {"id": "one", "update_mask": FieldMask(paths=["heartbeat"])},
            RPCStatusCode.INVALID_ARGUMENT,
            "found heartbeat",
        ),
        ({"restore_original": True}, RPCStatusCode.INVALID_ARGUMENT, "id or type"),
        ({"id": "two", "restore_original": True}, RPCStatusCode.NOT_FOUND, "two"),
    ],
)
async def test_a_request_that_means_nothing_is_refused(
    client: Client, fields: dict[str, Any], status: RPCStatusCode, said: str
) -> None:
    await _pending(client)

    with pytest.raises(RPCError, match=said) as refused:
        await client.workflow_service.update_activity_options(
            api.UpdateActivityOptionsRequest(execution=named(), **fields)
        )

    assert refused.value.status is status
