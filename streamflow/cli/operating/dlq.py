"""``streamflow dlq list|show|redrive|purge``: what could not be taken, and what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from streamflow.cli.operating.letter_filters import EVERY, Filters
from streamflow.cli.operating.letter_rows import facts_of, outcome_row, row_of
from streamflow.cli.operating.reaching import Address, asked
from streamflow.cli.operating.topology import Namespace, Profile
from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.output import Form, print_data, show, show_rows
from streamflow.cli.shared.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import TypeVar

    from streamflow.client.http.api_v1_letters import RedrivenLetterBody
    from streamflow.client.http.letters import HttpLetters
    from streamflow.client.http.transport import HttpTransport
    from streamflow.dead_letters import Filter, Letter, LetterId, PutAway
    from streamflow.ports import Log, Record

    T = TypeVar("T")

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
    kafka: Address = None,
    profile: Profile = None,
) -> int:
    """Lists dead letters, newest first."""
    wanted = filters.filter(state)

    def read(log: Log) -> tuple[Sequence[Letter], int]:
        from streamflow.dead_letters import newest

        page = newest(log, namespace, wanted, limit=limit)
        return page.letters, page.count

    async def fetch(letters: HttpLetters) -> tuple[Sequence[Letter], int]:
        return await letters.newest(wanted, limit)

    if limit < 1:
        raise CommandError(f"Expected --limit of 1 or more, found {limit}", ExitCode.USAGE)
    found, count = _with_letters(kafka, profile, namespace, read, fetch)
    rows = [row_of(letter, whole=output != "table") for letter in found]
    if output != "table":
        print_data(rows, output)
    elif rows:
        show_rows(f"{len(rows)} of {count} letters", rows)
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
    kafka: Address = None,
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

    async def fetch(letters: HttpLetters) -> tuple[Letter, Record]:
        return await letters.one(wanted)

    letter, record = _with_letters(kafka, profile, namespace, read, fetch)
    show(facts_of(letter, record), output)
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
    kafka: Address = None,
    profile: Profile = None,
) -> int:
    """Sends dead letters once more to the topic that they came from. Exits with 1 when one could not be.

    Parameters
    ----------
    letter_ids
        One letter or several; or `--all` with filters.
    """
    ids = _meant(letter_ids, every, filters)
    wanted = filters.filter("all" if again or ids else "open")

    def send(log: Log) -> list[RedrivenLetterBody]:
        from streamflow.client.http.api_v1_letters import RedrivenLetterBody
        from streamflow.dead_letters import redrive as send_again

        letters = _chosen(log, namespace, ids, wanted)
        with Progress("letters", len(letters)) as progress:
            outcomes = send_again(
                log,
                namespace,
                letters,
                key=key,
                again=again,
                dry_run=dry_run,
                told=lambda _: progress.add(),
            )
        return [RedrivenLetterBody.of(one) for one in outcomes]

    async def ask(letters: HttpLetters) -> list[RedrivenLetterBody]:
        chosen = await _chosen_there(letters, ids, wanted)
        with Progress("letters", len(chosen)) as progress:
            return await letters.redrive(
                chosen, key=key, again=again, dry_run=dry_run, told=progress.add
            )

    outcomes = _with_letters(kafka, profile, namespace, send, ask)
    rows = [outcome_row(one, dry_run) for one in outcomes]
    refused = sum(1 for one in outcomes if one.refusal)
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
    kafka: Address = None,
    profile: Profile = None,
) -> int:
    """Puts open dead letters away: they are marked as discarded, and the topic's retention deletes them.

    Parameters
    ----------
    letter_ids
        One letter or several; or `--all` with filters.
    """
    ids = _meant(letter_ids, every, filters)
    wanted = filters.filter("all" if ids else "open")

    def discard(log: Log) -> PutAway:
        from streamflow.dead_letters import put_away

        return put_away(log, namespace, _chosen(log, namespace, ids, wanted), dry_run=dry_run)

    async def ask(letters: HttpLetters) -> PutAway:
        return await letters.purge(await _chosen_there(letters, ids, wanted), dry_run=dry_run)

    away = _with_letters(kafka, profile, namespace, discard, ask)
    done, closed = away.letters, away.closed_below
    if output != "table":
        names = [str(letter.id) for letter in done]
        print_data({"discarded": names, "closed_below": closed}, output)
        return ExitCode.OK
    show_rows("Letters", [row_of(letter, whole=False) for letter in done])
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


def _meant(texts: tuple[str, ...], every: bool, filters: Filters) -> list[LetterId]:
    """The letters that are named; none for all that the filters leave."""
    if bool(texts) == every or (texts and filters != EVERY):
        raise CommandError(
            "Expected either IDs of letters or --all with filters (see `streamflow dlq list`)",
            ExitCode.USAGE,
        )
    return sorted({_letter_id(text) for text in texts})


def _chosen(log: Log, namespace: str, ids: Sequence[LetterId], wanted: Filter) -> list[Letter]:
    """Those that are named, each of which must be there; or all that the filter finds."""
    from streamflow.dead_letters import find_letters, named

    return named(log, namespace, ids) if ids else find_letters(log, namespace, wanted)


async def _chosen_there(
    letters: HttpLetters, ids: Sequence[LetterId], wanted: Filter
) -> Sequence[LetterId]:
    """Likewise, of a gateway."""
    if ids:
        await letters.require(ids)
        return ids
    found, _ = await letters.newest(wanted, None)
    return sorted(letter.id for letter in found)


def _with_letters(
    kafka: str | None,
    profile: str | None,
    namespace: str,
    of_log: Callable[[Log], T],
    of_gateway: Callable[[HttpLetters], Awaitable[T]],
) -> T:
    from streamflow.dead_letters import LetterMissing
    from streamflow.ports import TopicMissing

    async def ask(transport: HttpTransport) -> T:
        from streamflow.client.http.letters import HttpLetters

        return await of_gateway(HttpLetters(transport))

    try:
        return asked(kafka, profile, namespace, of_log, ask)
    except (LetterMissing, TopicMissing) as error:
        raise CommandError(str(error), ExitCode.NOT_FOUND) from error
