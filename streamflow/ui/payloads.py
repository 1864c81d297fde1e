"""Values and failures as text: decoded by the client's codec, and cut where they are long."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from streamflow.client.calls.values import converter_for
from streamflow.converter import DataConverter, WorkflowSerializationContext
from streamflow.converter.codec import recode_failure, recode_one
from streamflow.model.failure import Failure, FailureKind
from streamflow.model.payload import Payload
from streamflow.ui.site import Visit

TEXT_CHARS_MAX = 4_096
"""Of a value on a page; the downloaded log has all of it."""
LINES_MAX = 40


@dataclass(frozen=True)
class Shown:
    """A value as a page shows it."""

    text: str
    left_out: int = 0
    """Characters that the page does not show."""

    @property
    def short(self) -> str:
        """On one line."""
        line = " ".join(self.text.split())
        return line if len(line) <= 120 else line[:119] + "…"


@dataclass(frozen=True)
class Cause:
    """A failure of a chain, the outermost first."""

    kind: str
    message: str
    stack: str


class Reader:
    """Reads what belongs to one workflow."""

    def __init__(self, converter: DataConverter) -> None:
        self._converter = converter

    @staticmethod
    def of(visit: Visit, workflow_id: str) -> Reader:
        return Reader(converter_for(visit.client, workflow_id))

    @staticmethod
    def within(converter: DataConverter, namespace: str, workflow_id: str) -> Reader:
        """Where there is no client."""
        if converter.takes_context or (converter.pipeline and converter.pipeline.takes_context):
            context = WorkflowSerializationContext(namespace, workflow_id)
            return Reader(converter.with_context(context))
        return Reader(converter)

    async def value(self, payload: Payload | None) -> Shown | None:
        """``None`` for no payload. What cannot be decoded says why: one bad value must not hide the page."""
        if payload is None:
            return None
        try:
            pipeline = self._converter.pipeline
            if pipeline is not None:
                payload = await recode_one(payload, pipeline.decode)
        except Exception as error:  # a user's codec or storage may raise anything; the page says it
            return Shown(f"(cannot be decoded: {error})")
        return cut(text_of(payload))

    async def values(self, payloads: Iterable[Payload]) -> list[Shown]:
        return [shown for payload in payloads if (shown := await self.value(payload)) is not None]

    async def causes(self, failure: Failure | None) -> list[Cause]:
        """The failure and what caused it."""
        if failure is None:
            return []
        try:
            pipeline = self._converter.pipeline
            if pipeline is not None:
                failure = await recode_failure(failure, pipeline.decode)
        except Exception as error:  # as above
            return [Cause("", f"(cannot be decoded: {error})", "")]
        found: list[Cause] = []
        at: Failure | None = failure
        while at is not None:
            found.append(_cause(at))
            at = at.cause
        return found

    async def reason(self, failure: Failure | None) -> str:
        """The message at the root, with its type."""
        causes = await self.causes(failure)
        if not causes:
            return ""
        root = causes[-1]
        return f"{root.kind}: {root.message}" if root.kind else root.message


def text_of(payload: Payload) -> str:
    """JSON with indents; other text as it is; bytes by their number."""
    encoding = payload.metadata.get("encoding", b"").decode("utf-8", "replace")
    if encoding == "binary/null":
        return "null"
    if encoding.startswith("json/"):
        try:
            return json.dumps(json.loads(payload.data), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return payload.data.decode("utf-8", "replace")
    return f"({len(payload.data)} bytes, {encoding or 'no encoding'})"


def cut(text: str) -> Shown:
    """The beginning of the text, where a page would drown in all of it."""
    lines = text.split("\n")
    kept = "\n".join(lines[:LINES_MAX])[:TEXT_CHARS_MAX]
    return Shown(kept, len(text) - len(kept))


def _cause(failure: Failure) -> Cause:
    message, stack = failure.message, failure.stack_trace
    if failure.encoded_attributes:
        try:
            hidden = json.loads(failure.encoded_attributes[0].data)
            message = str(hidden.get("message", message))
            stack = str(hidden.get("stack_trace", stack))
        except (ValueError, AttributeError):
            pass
    kind = failure.type or failure.name
    if not kind and failure.kind is not FailureKind.APPLICATION:
        kind = failure.kind.name.replace("_", " ").capitalize()
    return Cause(kind, message, stack)
