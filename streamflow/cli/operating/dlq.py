"""``streamflow dlq list|show|redrive|purge``: what could not be taken, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from streamflow.cli.operating.letter_filters import EVERY, Filters
from streamflow.cli.operating.topology import Kafka, Namespace, Profile, _with_log
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, print_data, show, show_rows
from streamflow.cli.shared.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from streamflow.dead_letters import Filter, Letter, LetterId, Outcome
    from streamflow.ports import Headers, Log, Record

    T = TypeVar("T")

MESSAGE_WIDTH = 60

StateName = Annotated[
    Literal["open", "redriven", "discarded", "all"], Parameter(help="Only those in this state.")
]
All = Annotated[
    bool, Parameter(name="--all", negative=(), help="All open ones that the filters leave.")
]


def list_(
    *,
    filters: Filters = EVERY,
    state: StateName = "open",
    limit: Annotated[int, Parameter(name=["--limit", "-l"], help="At most so many.")] = 50,
    output: Form = "table",
    namespace: Namespace = "default",
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Lists dead letters, newest first."""
    wanted = filters.filter(state)

    def read(log: Log) -> list[Letter]:
        from streamflow.dead_letters import find_letters

        return find_letters(log, namespace, wanted)

    found = _with_letters(kafka, profile, read)
    found.sort(key=lambda letter: letter.time_ms, reverse=True)
    rows = [_row(letter, whole=output != "table") for letter in found[:limit]]
    if output != "table":
        print_data(rows, output)
    elif rows:
        show_rows(f"{len(rows)} of {len(found)} letters", rows)
        print("\nShow one: streamflow dlq show ID")
    else:
        print("There is no such letter.")
    return ExitCode.OK


def show_(
    letter_id: str,
    /,
    *,
    output: Form = "table",
    namespace: Namespace = "default",
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Shows a dead letter: why it is one, what is in it, and what to do about it.

    Parameters
    ----------
    letter_id
        As `list` shows it, such as 0/17.
    """
    wanted = _letter_id(letter_id)

    def read(log: Log) -> tuple[Letter, Record]:
        from streamflow.dead_letters import read_letter

        return read_letter(log, namespace, wanted)

    letter, record = _with_letters(kafka, profile, read)
    show(_facts(letter, record), output)
    return ExitCode.OK


def redrive(
    *letter_ids: str,
    every: All = False,
    filters: Filters = EVERY,
    key: Annotated[
        str | None, Parameter(help="The workflow ID to send it to instead of its own.")
    ] = None,
    again: Annotated[
        bool, Parameter(negative=(), help="Also those that were re-driven or put away before.")
    ] = False,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Send nothing; show what would be.")
    ] = False,
    output: Form = "table",
    namespace: Namespace = "default",
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Sends dead letters once more to the topic that they came from. Exits with 1 when one could not be.

    Parameters
    ----------
    letter_ids
        One letter or several; or `--all` with filters.
    """
    wanted = filters.filter("all" if again or letter_ids else "open")

    def send(log: Log) -> list[Outcome]:
        from streamflow.dead_letters import redrive as send_again

        letters = _chosen(log, namespace, letter_ids, wanted, every)
        with Progress("letters", len(letters)) as progress:
            return send_again(
                log,
                namespace,
                letters,
                key=key,
                again=again,
                dry_run=dry_run,
                told=lambda _: progress.add(),
            )

    outcomes = _with_letters(kafka, profile, send)
    rows = [_outcome(one, dry_run) for one in outcomes]
    refused = sum(1 for one in outcomes if one.record is None)
    if output != "table":
        print_data(rows, output)
    else:
        show_rows("Letters", rows)
        verb = "would be re-driven" if dry_run else "re-driven"
        print(f"\n{len(rows) - refused} {verb}, {refused} not.")
    return ExitCode.FAILED if refused else ExitCode.OK


def purge(
    *letter_ids: str,
    every: All = False,
    filters: Filters = EVERY,
    dry_run: Annotated[
        bool, Parameter(negative=(), help="Mark nothing; show what would be.")
    ] = False,
    output: Form = "table",
    namespace: Namespace = "default",
    kafka: Kafka = None,
    profile: Profile = None,
) -> int:
    """Puts open dead letters away: they are marked as discarded, and the topic's retention deletes them.

    Parameters
    ----------
    letter_ids
        One letter or several; or `--all` with filters.
    """
    wanted = filters.filter("all" if letter_ids else "open")

    def put_away(log: Log) -> tuple[list[Letter], dict[str, int]]:
        from streamflow.dead_letters import State, closed_below, discard

        letters = _chosen(log, namespace, letter_ids, wanted, every)
        if dry_run:
            open_ones = [letter for letter in letters if letter.state is State.OPEN]
        else:
            open_ones = discard(log, namespace, letters)
        below = closed_below(log, namespace)
        return open_ones, {f"{place.topic}/{place.partition}": n for place, n in below.items()}

    done, closed = _with_letters(kafka, profile, put_away)
    if output != "table":
        names = [str(letter.id) for letter in done]
        print_data({"discarded": names, "closed_below": closed}, output)
        return ExitCode.OK
    show_rows("Letters", [_row(letter, whole=False) for letter in done])
    verb = "would be put away" if dry_run else "put away"
    print(f"\n{len(done)} {verb}.")
    for place, offset in closed.items():
        print(
            f"No letter is open in {place} below offset {offset}: Kafka may delete these records."
        )
    return ExitCode.OK


def _letter_id(text: str) -> LetterId:
    from streamflow.dead_letters import LetterId

    try:
        return LetterId.parse(text)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.USAGE) from error


def _chosen(
    log: Log, namespace: str, texts: tuple[str, ...], wanted: Filter, every: bool
) -> list[Letter]:
    """Those that are named, each of which must be there; or all that the filter leaves."""
    import msgspec

    from streamflow.dead_letters import LetterMissing, find_letters

    if bool(texts) == every:
        raise CommandError(
            "Expected either IDs of letters or --all with filters (see `streamflow dlq list`)",
            ExitCode.USAGE,
        )
    ids = frozenset(_letter_id(text) for text in texts)
    found = find_letters(log, namespace, msgspec.structs.replace(wanted, ids=ids))
    missing = ids - {letter.id for letter in found}
    if missing:
        raise LetterMissing(
            f"Expected the letters {', '.join(str(one) for one in sorted(missing))}, found none of these IDs; "
            "`streamflow dlq list --state all` shows those there are"
        )
    return found


def _with_letters(kafka: str | None, profile: str | None, work: Callable[[Log], T]) -> T:
    from streamflow.dead_letters import LetterMissing
    from streamflow.ports import TopicMissing

    try:
        return _with_log(kafka, profile, work)
    except (LetterMissing, TopicMissing) as error:
        raise CommandError(str(error), ExitCode.NOT_FOUND) from error


def _row(letter: Letter, *, whole: bool) -> dict[str, Any]:
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


def _facts(letter: Letter, record: Record) -> dict[str, Any]:
    from streamflow.dead_letters import advice

    facts = _row(letter, whole=True)
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


def _outcome(one: Outcome, dry_run: bool) -> dict[str, Any]:
    if one.record is None:
        return {"id": str(one.letter.id), "outcome": "not", "to": "", "message": one.refusal}
    return {
        "id": str(one.letter.id),
        "outcome": "would be" if dry_run else "re-driven",
        "to": f"{one.record.topic}/{one.record.partition}",
        "message": "",
    }
