"""Webhooks: what another service sends becomes a start or a signal, once it is known to be that service's.

    POST /hooks/NAME    signed with the secret that both know; 200 with the run, as the API answers

Which there are is a file's business (`--webhooks`):

    [[webhook]]
    name = "repository"
    namespace = "shop"
    signature = "github"                  # github, stripe, or plain: hex HMAC-SHA-256 of the body in `header`
    secret_env = "REPOSITORY_SECRET"      # or secret_file; a list, while a secret is being changed
    workflow_type = "Build"               # a start; with `signal` also a signal, and alone `signal` is one to an open run
    queue = "builds"
    workflow_id = "build-{repository.name}-{after}"

Values in braces are looked up in the JSON body, or as `{header:NAME}`. The body is the start's (or signal's) only argument.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from streamflow.client.transport import Transport
from streamflow.gateway import idempotency
from streamflow.gateway.access import AccessError, Audit, Grant, GuardedTransport, Principal, Role
from streamflow.gateway.access.roles import ANYONE
from streamflow.gateway.access.settings import read_secret
from streamflow.gateway.operations import Reply
from streamflow.gateway.requests import BadRequest, read_body
from streamflow.gateway.signatures import Scheme, SignatureError, check
from streamflow.gateway.templates import Template, TemplateError
from streamflow.model.commands import Command, SignalWorkflow, StartWorkflow
from streamflow.model.ids import WorkflowId
from streamflow.model.options import IdConflictPolicy
from streamflow.model.payload import Payload
from streamflow.observability import get_logger
from streamflow.service import RPCError, RPCStatusCode

Answered = Callable[[Callable[[], Awaitable[Reply]]], Awaitable[Response]]

PREFIX = "/hooks/"
SECRET_CHARS_MIN = 16

log = get_logger("audit")
WORKFLOW_ID_CHARS_MAX = 1_000


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """One of the file, with its secrets."""

    name: str
    namespace: str
    scheme: Scheme
    secrets: tuple[str, ...]
    workflow_id: Template
    queue: str = ""
    workflow_type: str = ""
    signal: str = ""
    key: Template | None = None
    """What tells one delivery from another; without it each is a new one."""

    def command(self, body: Any, raw: bytes, headers: Mapping[str, str]) -> Command:
        """What a delivery asks for. Raises `TemplateError` for a body without what the workflow's ID is made of."""
        workflow_id = WorkflowId(self.workflow_id.filled(body, headers))
        if not 1 <= len(workflow_id) <= WORKFLOW_ID_CHARS_MAX:
            raise TemplateError(
                f"Expected a workflow ID of 1 to {WORKFLOW_ID_CHARS_MAX} characters, found {len(workflow_id)}"
            )
        argument = (Payload({"encoding": b"json/plain"}, raw),)
        if not self.workflow_type:
            return SignalWorkflow(workflow_id=workflow_id, signal_name=self.signal, args=argument)
        # A delivery that starts nothing because its workflow is open is no failure: it would come again and again.
        return StartWorkflow(
            workflow_id=workflow_id,
            workflow_type=self.workflow_type,
            args=argument,
            id_conflict_policy=IdConflictPolicy.USE_EXISTING,
            signal_name=self.signal,
            signal_args=argument if self.signal else (),
        )


class _Table(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    name: str
    namespace: str = "default"
    signature: Literal["github", "stripe", "plain"] = "plain"
    header: str = ""
    secret_env: str | list[str] = []
    secret_file: str | list[str] = []
    workflow_id: str
    queue: str = ""
    workflow_type: str = ""
    signal: str = ""
    key: str = ""


class _File(msgspec.Struct, forbid_unknown_fields=True):
    webhook: list[_Table]


def load_webhooks(path: Path, environ: Mapping[str, str]) -> tuple[Webhook, ...]:
    """What the file says. Raises `AccessError` for a file, or a secret, that does not fit."""
    try:
        document = tomllib.loads(path.read_text())
        tables = msgspec.convert(document, _File).webhook
    except OSError as error:
        raise AccessError(f"Expected webhooks in {path}, found: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise AccessError(f"Expected [[webhook]] tables in {path}, found: {error}") from error
    names = [table.name for table in tables]
    if len(set(names)) < len(names):
        raise AccessError(f"Expected a name for each webhook, found {', '.join(names)}")
    return tuple(_webhook(table, environ) for table in tables)


def _webhook(table: _Table, environ: Mapping[str, str]) -> Webhook:
    what = f"webhook {table.name!r}"
    if not table.name or not table.name.replace("-", "").replace("_", "").isalnum():
        raise AccessError(f"Expected {what} to be named by letters, digits, - and _")
    if not table.workflow_type and not table.signal:
        raise AccessError(f"Expected a workflow_type or a signal for {what}, found neither")
    if table.workflow_type and not table.queue:
        raise AccessError(f"Expected the queue that {what} starts workflows on, found none")
    found = [read_secret(what, env, "", environ) for env in _several(table.secret_env)]
    found += [read_secret(what, "", file, environ) for file in _several(table.secret_file)]
    if not found or any(len(secret) < SECRET_CHARS_MIN for secret in found):
        raise AccessError(
            f"Expected a secret of {SECRET_CHARS_MIN} characters at least for {what}: secret_env or secret_file"
        )
    scheme = Scheme.of(table.signature, table.header)
    try:
        key = Template.parse(table.key or scheme.key)
        workflow_id = Template.parse(table.workflow_id)
    except TemplateError as error:
        raise AccessError(f"{error}, in {what}") from error
    return Webhook(
        name=table.name,
        namespace=table.namespace,
        scheme=scheme,
        secrets=tuple(found),
        workflow_id=workflow_id,
        queue=table.queue,
        workflow_type=table.workflow_type,
        signal=table.signal,
        key=key,
    )


def _several(found: str | list[str]) -> list[str]:
    return [found] if isinstance(found, str) else found


class Webhooks:
    """Answers deliveries."""

    def __init__(
        self, webhooks: tuple[Webhook, ...], transports: Mapping[str, Transport], audit: Audit
    ) -> None:
        """Raises `AccessError` for a namespace that is not served."""
        self._webhooks = {webhook.name: webhook for webhook in webhooks}
        self._transports = transports
        self._audit = audit
        for webhook in webhooks:
            if webhook.namespace not in transports:
                raise AccessError(
                    f"Expected webhook {webhook.name!r} in a namespace that is served ({', '.join(sorted(transports))}), "
                    f"found {webhook.namespace!r}"
                )

    def routes(self, answered: Answered) -> list[BaseRoute]:
        """``answered`` makes a response of what comes of an operation, as the API does."""

        async def deliver(request: Request) -> Response:
            return await answered(lambda: self._deliver(request))

        return [Route(PREFIX + "{name}", deliver, methods=["POST"])]

    async def _deliver(self, request: Request) -> Reply:
        webhook = self._webhooks.get(request.path_params["name"])
        raw = await read_body(request)
        if webhook is None:
            raise RPCError("Expected a webhook of this name, found none", RPCStatusCode.NOT_FOUND)
        try:
            check(webhook.scheme, webhook.secrets, request.headers, raw)
        except SignatureError as error:
            log.warning("webhook_refused", webhook=webhook.name, error=str(error))
            raise RPCError(str(error), RPCStatusCode.UNAUTHENTICATED) from error
        try:
            body = json.loads(raw)
            command = webhook.command(body, raw, request.headers)
            key = (
                None
                if webhook.key is None
                else webhook.key.filled(body, request.headers, or_none=True)
            )
        except (ValueError, RecursionError, TemplateError) as error:
            raise BadRequest(
                f"Expected a body that webhook {webhook.name!r} can use, found: {error}"
            ) from error
        grant = Grant(role=Role.OPERATOR, to=(ANYONE,), namespaces=(webhook.namespace,))
        sender = Principal(name=f"webhook:{webhook.name}", grants=(grant,))
        transport = GuardedTransport(self._transports[webhook.namespace], sender, self._audit)
        named = None if not key else idempotency.message_id(sender.name, webhook.name, key)
        return await transport.ask(webhook.queue, command, message_id=named)
