"""Signals and queries: what they send, and what the answers mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NoReturn

from streamflow.client import naming
from streamflow.client.address import Address, expect
from streamflow.client.errors import WorkflowQueryFailedError, WorkflowQueryRejectedError
from streamflow.client.reading import description
from streamflow.client.values import decode_failure, decode_one, encode
from streamflow.common import QueryRejectCondition
from streamflow.model.answers import Done, QueryAnswer, Reason, Rejection
from streamflow.model.commands import QueryWorkflow, SignalWorkflow


async def signal(
    address: Address,
    signal: str | Callable[..., Any],
    args: Sequence[Any],
    rpc_timeout: timedelta | None,
) -> None:
    command = SignalWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        signal_name=naming.signal_name(signal),
        args=await encode(address.client.data_converter, args),
        identity=address.client.identity,
    )
    expect(await address.ask(command, rpc_timeout), Done)


async def query(
    address: Address,
    query: str | Callable[..., Any],
    args: Sequence[Any],
    *,
    result_type: type | None,
    reject_condition: QueryRejectCondition | None,
    rpc_timeout: timedelta | None,
) -> Any:
    name, hint = naming.query_name(query)
    client = address.client
    condition = reject_condition or client.default_workflow_query_reject_condition
    command = QueryWorkflow(
        workflow_id=address.workflow_id,
        run_id=address.run_id,
        query_name=name,
        args=await encode(client.data_converter, args),
        reject_condition=(condition or QueryRejectCondition.NONE).value,
    )
    match await address.ask(command, rpc_timeout):
        case QueryAnswer(result=payload):
            return await decode_one(client.data_converter, payload, result_type or hint)
        case Rejection(reason=Reason.QUERY_FAILED) as refusal:
            await _raise_query_failed(address, refusal)
        case Rejection(reason=Reason.QUERY_REJECTED):
            raise WorkflowQueryRejectedError((await description(address, None)).status)
        case answer:
            expect(answer, QueryAnswer)


async def _raise_query_failed(address: Address, refusal: Rejection) -> NoReturn:
    if refusal.failure is None:
        raise WorkflowQueryFailedError(refusal.message)
    cause = await decode_failure(address.client.data_converter, refusal.failure)
    raise WorkflowQueryFailedError(str(cause) or refusal.message) from cause
