"""``streamflow replay``: runs a downloaded history again, so that a debugger can look into the workflow's code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from streamflow.cli.shared.exits import CommandError, ExitCode

if TYPE_CHECKING:
    from streamflow.app import App
    from streamflow.coroutine.definition import WorkflowDefinition
    from streamflow.model.events import History, WorkflowStarted


def replay(
    file: Annotated[
        Path,
        Parameter(
            help="A history, as `streamflow workflow history --file` writes it, or a folder of them."
        ),
    ],
    *targets: Annotated[
        str, Parameter(name="MODULE:APP", help="The Apps that have the workflow's code.")
    ],
    step: Annotated[
        int | None,
        Parameter(help="Show this step: its events and where the code stands; -1 is the last."),
    ] = None,
    show_locals: Annotated[
        bool, Parameter(name="--locals", negative="", help="With --step: fields and variables too.")
    ] = False,
    web: Annotated[
        bool, Parameter(negative="", help="Step through it in a browser, on this machine alone.")
    ] = False,
    port: Annotated[int, Parameter(help="With --web; 0 takes any free one.")] = 0,
) -> int:
    """Runs every step of a history again, with today's code: no activity runs, no time passes.

    To look inside, put breakpoint() into the workflow, or run it under a debugger: guards and the step limit are off.
    Exits with 1 if the code does not do what the history says.
    """
    from streamflow.cli.shared.loading import load_apps

    if not targets:
        raise CommandError(
            "Expected MODULE:APP with the workflow's code, found nothing", ExitCode.USAGE
        )
    if file.is_dir():
        from streamflow.cli.code.replay_many import replay_folder

        if web or step is not None or show_locals:
            raise CommandError(
                f"Expected one history with --web, --step or --locals, found the folder {file}",
                ExitCode.USAGE,
            )
        return replay_folder(file, load_apps(targets), _replayed)
    if not (web or step is not None or show_locals):
        print(_replayed(file, load_apps(targets)))
        return ExitCode.OK
    history, started = read_history(file)
    app, _ = _find(load_apps(targets), started.workflow_type)
    if web or step is not None:
        from streamflow.cli.code import stepping

        if web:
            return stepping.serve(history, app, port)
        assert step is not None
        return stepping.show(history, app, step, with_values=show_locals)
    raise CommandError("Expected --step with --locals, found none", ExitCode.USAGE)


def read_history(file: Path) -> tuple[History, WorkflowStarted]:
    """A saved history, and its first event."""
    from streamflow.client.history import file as history_file
    from streamflow.model.events import WorkflowStarted

    try:
        content = file.read_bytes()
    except OSError as error:
        raise CommandError(
            f"Expected to read {file}, found: {error.strerror}", ExitCode.USAGE
        ) from error
    history = history_file.from_json(content)
    started = history.events[0].event if history.events else None
    if not isinstance(started, WorkflowStarted):
        raise CommandError(
            f"Expected {file} to begin with workflow_started, found {started}", ExitCode.USAGE
        )
    return history, started


def _replayed(file: Path, apps: Sequence[App]) -> str:
    """What became of one history."""
    from streamflow.coroutine.errors import CodeFailed, NondeterminismError

    history, started = read_history(file)
    app, definition = _find(apps, started.workflow_type)
    try:
        outcome = _replay(history, app, definition)
    except NondeterminismError as error:
        raise CommandError(f"Non-determinism: {error}") from error
    except CodeFailed as error:
        raise error.__cause__ or error from None
    return f"Replayed {len(history.events)} events of {started.workflow_type} {history.workflow_id}: {outcome}"


def _find(apps: Sequence[App], workflow_type: str) -> tuple[App, WorkflowDefinition]:
    from streamflow.coroutine.definition import definition_of

    known = [(app, definition_of(workflow)) for app in apps for workflow in app.workflows]
    for name in (workflow_type, None):  # one that has the name, else a dynamic one
        for app, definition in known:
            if definition.name == name:
                return app, definition
    names = ", ".join(sorted(str(definition.name) for _, definition in known)) or "none"
    raise CommandError(
        f"Expected a workflow {workflow_type!r} in the Apps, found {names}", ExitCode.USAGE
    )


def _replay(history: History, app: App, definition: WorkflowDefinition) -> str:
    from streamflow.worker.replay.replaying import replay_history

    done = replay_history(
        history,
        {definition.name or "": definition},
        app.data_converter,
        namespace=app.namespace,
        interceptors=app.options.get("interceptors", ()),
        guarded=False,
    )
    return _outcome(history, done=done)


def _outcome(history: History, *, done: bool) -> str:
    from streamflow.model.events import Closed

    last = history.events[-1].event
    if isinstance(last, Closed):
        return f"the code does what the history says, to its end ({type(last).__name__})"
    return "the code does what the history says" + (", and has ended" if done else ", and goes on")
