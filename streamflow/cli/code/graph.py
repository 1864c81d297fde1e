"""``streamflow graph`` and ``streamflow workflow graph``: the ways that a workflow's code can go, and the way that a run went."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import HERE, LATEST, Target, WorkflowID
from streamflow.cli.shared.calling import called
from streamflow.cli.shared.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from streamflow.checking.graph import Graph, Kind
    from streamflow.client import Client
    from streamflow.ui.steps import Step

STEPS_MAX = 500
"""Of a run: a drawing of more could not be read."""

Language = Annotated[
    Literal["mermaid", "dot"],
    Parameter(name=["--format", "-f"], help="Mermaid for Markdown, or DOT for Graphviz."),
]


def graph(
    target: Annotated[str, Parameter(help="A Python file, a saved history, or MODULE:APP.")],
    /,
    *,
    type: Annotated[
        str | None,
        Parameter(name=["--type", "-t"], help="The workflow's class, where there are several."),
    ] = None,
    format: Language = "mermaid",
) -> int:
    """Draws what a workflow can do, as read from its source, or what a saved history says that it did."""
    path = Path(target)
    if path.suffix == ".json":
        _print(graph_of_steps(_steps_of_file(path)), format)
        return ExitCode.OK
    from streamflow.checking.paths import NoWorkflow, graph_of

    source, name, where = _source(target, type) if ":" in target else (_read(path), type, target)
    try:
        _print(graph_of(source, name, where), format)
    except (NoWorkflow, SyntaxError) as error:
        raise CommandError(str(error), ExitCode.USAGE) from error
    return ExitCode.OK


def of_run(
    workflow_id: WorkflowID,
    /,
    *,
    format: Language = "mermaid",
    target: Target = LATEST,
    connection: Connection = HERE,
) -> int:
    """Draws the way that a run went: what began after what, and what went on beside it."""

    async def call(client: Client) -> int:
        from streamflow.cli.workflows.showing import Run

        run = Run(client, workflow_id, target)
        await run.read()
        _print(graph_of_steps(run.steps()), format)
        return ExitCode.OK

    return called(connection, call)


def graph_of_steps(steps: Sequence[Step]) -> Graph:
    """A way leads from each step to those that began after its end, unless it leads there through another."""
    from streamflow.checking.graph import Graph, Node

    if len(steps) > STEPS_MAX:
        raise CommandError(
            f"Expected a run of at most {STEPS_MAX} steps, found {len(steps)}: `streamflow workflow show` lists them",
            ExitCode.USAGE,
        )
    found = Graph()
    for step in steps:
        found.add(Node(_kind(step), _label(step)))
    for later, step in enumerate(steps):
        before = [
            number
            for number, earlier in enumerate(steps[:later])
            if earlier.ended_ms and earlier.seqs[-1] < step.seqs[0]
        ]
        # Whoever ended before another of these began leads here through that one.
        last_begun = max((steps[number].seqs[0] for number in before), default=0)
        for number in before:
            if steps[number].seqs[-1] >= last_begun:
                found.connect(number, later)
    return found


def _kind(step: Step) -> Kind:
    match step.kind:
        case "start":
            return "start"
        case "timer":
            return "timer"
        case "child":
            return "child"
        case "signal" | "update" | "message" | "cancel":
            return "message"
        case "end":
            failed = step.state not in ("completed", "continued_as_new")
            return "failure" if failed else "end"
        case _:
            return "activity"


def _label(step: Step) -> str:
    from streamflow.ui.formats import duration

    lines = [step.name]
    if step.kind in ("signal", "update"):
        lines = [f"{step.kind} {step.name}"]
    if not step.is_moment:
        length = f", {duration(step.ended_ms - step.begun_ms)}" if step.ended_ms else ""
        attempts = f", {step.attempts} attempts" if step.attempts > 1 else ""
        lines.append(f"{step.state}{length}{attempts}")
    return "\n".join(lines)


def _print(found: Graph, language: str) -> None:
    from streamflow.checking.graph import to_dot, to_mermaid

    print(to_dot(found) if language == "dot" else to_mermaid(found), end="")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"Expected to read {path}, found: {error}", ExitCode.USAGE) from error


def _steps_of_file(path: Path) -> Sequence[Step]:
    from streamflow.client.history import file as history_file
    from streamflow.ui.steps import steps_of

    return steps_of(history_file.from_json(_read(path).encode()).events)


def _source(target: str, wanted: str | None) -> tuple[str, str, str]:
    """The text, the class, and the file of a workflow of these Apps."""
    from streamflow.cli.shared.loading import load_apps

    classes = {cls.__name__: cls for app in load_apps([target]) for cls in app.workflows}
    name = next(iter(classes)) if wanted is None and len(classes) == 1 else wanted
    if name is None or name not in classes:
        raise CommandError(
            f"Expected --type to be one of {', '.join(classes) or 'none'}, found {name or 'nothing'}",
            ExitCode.USAGE,
        )
    file = inspect.getsourcefile(classes[name])
    if file is None:
        raise CommandError(f"Expected the source of {name} in a file, found none", ExitCode.USAGE)
    return _read(Path(file)), name, file
