"""Dead letters as commands show them, whoever told of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from streamflow.client.http.api_v1_letters import RedrivenLetterBody
    from streamflow.dead_letters import Letter
    from streamflow.ports import Headers, Record

MESSAGE_WIDTH = 60


def row_of(letter: Letter, *, whole: bool) -> dict[str, Any]:
    message = letter.message
    if not whole and len(message) > MESSAGE_WIDTH:
        message = message[: MESSAGE_WIDTH - 3] + "..."
    row: dict[str, Any] = {
        "id": str(letter.id),
        "time": _time(letter.time_ms),
        "state": letter.state.value,
        "reason": letter.reason.value,
        "workflow_id": letter.workflow_id,
        "from": letter.source,
        "message": message,
    }
    if whole:
        row["first"] = None if letter.first is None else str(letter.first)
    return row


def _time(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(timespec="milliseconds")


def facts_of(letter: Letter, record: Record) -> dict[str, Any]:
    from streamflow.dead_letters import advice

    facts = row_of(letter, whole=True)
    facts["stage"] = letter.stage
    if letter.marked_ms:
        facts["marked"] = _time(letter.marked_ms)
    if letter.whole_bytes:
        facts["whole_bytes"] = letter.whole_bytes
    facts["key"] = None if record.key is None else _text_or_hex(record.key)
    facts["headers"] = _headers(record.headers)
    facts["value_bytes"] = letter.value_bytes
    facts["value"] = None if record.value is None else _text_or_hex(record.value)
    facts["reads_as"] = _decoded(letter, record)
    facts["advice"] = advice(letter)
    return facts


def _text_or_hex(content: bytes) -> str:
    """Text where it is text that a terminal can be shown, else ``hex:`` and the bytes."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return "hex:" + content.hex()
    plain = all(letter.isprintable() or letter in "\n\r\t" for letter in text)
    return text if plain else "hex:" + content.hex()


def _headers(headers: Headers) -> dict[str, str]:
    # Kafka allows headers without a value, whatever their type says.
    return {name: _text_or_hex(value or b"") for name, value in headers}


def _decoded(letter: Letter, record: Record) -> Any:
    """What the record says, where it can be read."""
    from streamflow.dead_letters import read_as

    said = read_as(letter, record)
    return None if said is None else {said[0]: said[1]}


def outcome_row(one: RedrivenLetterBody, dry_run: bool) -> dict[str, Any]:
    if one.refusal:
        return {"id": one.id, "outcome": "not", "to": "", "message": one.refusal}
    outcome = "would be" if dry_run else "re-driven"
    return {"id": one.id, "outcome": outcome, "to": one.to, "message": ""}
