"""The columns of the list: those that everybody sees, and those that one may choose; the address has the choice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from streamflow.model.answers import ExecutionSummary
from streamflow.ui import formats
from streamflow.ui.payloads import text_of
from streamflow.ui.site import Problem

ATTRIBUTE = "@"
"""Before the name of a search attribute."""
CHOSEN_MAX = 20


@dataclass(frozen=True)
class Column:
    name: str
    """In addresses."""
    label: str
    is_number: bool = False


COLUMNS = (
    Column("status", "Status"),
    Column("type", "Type"),
    Column("step", "Step"),
    Column("started", "Started, UTC"),
    Column("duration", "Duration", is_number=True),
    Column("closed", "Closed, UTC"),
    Column("queue", "Task queue"),
    Column("parent", "Parent"),
    Column("run", "Run"),
    Column("attempt", "Attempt", is_number=True),
    Column("pending", "Pending activities", is_number=True),
    Column("events", "Events", is_number=True),
    Column("size", "History", is_number=True),
)
"""Beside the workflow's ID, which is always there."""
USUAL = ("status", "type", "step", "started", "duration")


@dataclass(frozen=True)
class Choice:
    """The columns of one page."""

    shown: Sequence[Column]
    asked: str
    """What addresses carry; empty for the usual ones."""

    @property
    def leading(self) -> Sequence[Column]:
        """Those before the workflow's ID: the status, where it comes first."""
        return self.shown[:1] if self.shown[0].name == "status" else []

    @property
    def others(self) -> Sequence[Column]:
        return self.shown[len(self.leading) :]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(column.name for column in self.shown)


def chosen(request: Request) -> Choice:
    """What the address chooses: ``columns=type,@Customer``, or as a form sends it, ``column=type&column=@Customer``.

    Raises:
        Problem: there is no such column.
    """
    boxes = request.query_params.getlist("column")
    text = ",".join(boxes) if boxes else request.query_params.get("columns", "")
    names = [name for name in dict.fromkeys(text.split(",")) if name]
    if not names:
        names = [*USUAL]
    if len(names) > CHOSEN_MAX:
        raise Problem(400, f"Expected at most {CHOSEN_MAX} columns, found {len(names)}")
    shown = [_column(name) for name in names]
    asked = "" if tuple(names) == USUAL else ",".join(names)
    return Choice(shown, asked)


def offered(runs: Iterable[ExecutionSummary], choice: Choice) -> Sequence[Column]:
    """Every column that may be chosen here: search attributes are those that the rows have."""
    attributes = {f"{ATTRIBUTE}{name}" for run in runs for name in run.search_attributes}
    attributes |= {name for name in choice.names if name.startswith(ATTRIBUTE)}
    return [*COLUMNS, *(_column(name) for name in sorted(attributes))]


def text_in(column: Column, run: ExecutionSummary) -> str:
    """What a cell says, of columns that are plain text."""
    match column.name:
        case "type":
            return run.workflow_type
        case "queue":
            return run.queue
        case "parent":
            return run.parent_workflow_id
        case "run":
            return run.run_id
        case "attempt":
            return str(run.max_attempt) if run.max_attempt else ""
        case "pending":
            return str(run.pending_activities) if run.pending_activities else ""
        case "events":
            return formats.number(run.history_length)
        case "size":
            return formats.size(run.history_bytes)
        case _:
            payload = run.search_attributes.get(column.name.removeprefix(ATTRIBUTE))
            return " ".join(text_of(payload).split()) if payload is not None else ""


def _column(name: str) -> Column:
    if name.startswith(ATTRIBUTE):
        return Column(name, name.removeprefix(ATTRIBUTE))
    found = next((column for column in COLUMNS if column.name == name), None)
    if found is None:
        known = ", ".join(column.name for column in COLUMNS)
        raise Problem(
            400, f"Expected columns of {known}, or {ATTRIBUTE}SearchAttribute, found {name!r}"
        )
    return found
