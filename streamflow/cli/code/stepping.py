"""A step of a history, in the terminal or in a browser (``streamflow replay --step``, ``--web``)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from streamflow.cli.shared.exits import CommandError, ExitCode
from streamflow.cli.shared.serving import until_stopped

if TYPE_CHECKING:
    from streamflow.app import App
    from streamflow.model.events import History, Recorded
    from streamflow.timetravel import FrameShown, Log, Part, State, Trouble, View


def serve(history: History, app: App, port: int) -> int:
    """Until it is stopped."""
    asyncio.run(until_stopped(_serve(history, app, port)))
    return ExitCode.OK


async def _serve(history: History, app: App, port: int) -> None:
    from streamflow.gateway import Gateway
    from streamflow.timetravel import Travels
    from streamflow.ui import replay_routes

    code = app.code()
    travels = Travels([code])
    gateway = Gateway({}, port=port, extra_routes=replay_routes(history, code, travels))
    try:
        await gateway.start()
    except OSError as error:
        raise CommandError(
            f"Expected port {port} to be free, found: {error.strerror}. Choose another: --port 0"
        ) from error
    try:
        print(f"Steps of {history.workflow_id} at {gateway.url}/ (Ctrl-C ends)", flush=True)
        await asyncio.Event().wait()
    finally:
        await gateway.stop()
        await travels.close()


def show(history: History, app: App, number: int, *, with_values: bool) -> int:
    """Prints one step. Exits with 1 if the code does not come through it."""
    from streamflow.timetravel import Limits, Log, Player

    log = Log.of(history)
    total = len(log.steps) + bool(log.waiting())
    asked = number
    if number < 0:
        number += total + 1
    if not 1 <= number <= total:
        raise CommandError(
            f"Expected a step from 1 to {total} (or from -1 to -{total}), found {asked}",
            ExitCode.USAGE,
        )
    player = Player(log, app.code(), limits=Limits(seconds=600.0))
    try:
        view = player.view(number) if number <= player.steps else player.attempt()
    finally:
        player.close()
    print("\n".join(_told(log, view, total, with_values=with_values)))
    return ExitCode.FAILED if view.trouble is not None else ExitCode.OK


def _told(log: Log, view: View, total: int, *, with_values: bool) -> Iterable[str]:
    yield f"Step {view.number} of {total}"
    if view.number > len(log.steps):
        yield "  Not recorded: what today's code makes of what waits for it"
        yield from _events("waits", log.waiting())
        yield from (f"  {'asks for':<9}         {one}" for one in view.asked)
    else:
        step = log.steps[view.number - 1]
        yield from _events("came in", step.inputs)
        yield from _events("asked for", step.outcomes)
    if view.number == len(log.steps):
        yield from _events("after it", log.events_after(view.number))
    if view.trouble is not None:
        yield from _trouble(view.trouble, view.number, with_values=with_values)
    if view.state is not None:
        yield from _state(view.state, with_values=with_values)


def _events(title: str, events: Sequence[Recorded]) -> Iterable[str]:
    from streamflow.client.history.file import event_to_json

    for recorded in events:
        event = recorded.event
        names = ("workflow_type", "activity_type", "name", "signal_name", "patch_id", "summary")
        about = next((str(getattr(event, name)) for name in names if getattr(event, name, "")), "")
        line = f"  {title:<9}  {recorded.seq:>5}  {event_to_json(recorded)['type']} {about}"
        yield line.rstrip()


def _state(state: State, *, with_values: bool) -> Iterable[str]:
    if with_values:
        yield "\nFields of the workflow"
        yield from _parts(state.fields, 1)
    for task in state.tasks:
        name = "Run method" if task.kind == "run" else task.name
        waits = f" waits for {task.waits_for}" if task.waits_for else ""
        yield f"\n{name}{waits}{' (new)' if task.is_new else ''}"
        yield from _frames(task.frames, with_values=with_values)
    for gone in state.ended_tasks:
        yield f"\n{gone} ended in this step"
    if state.has_ended:
        yield "\nThe code has ended."


def _frames(frames: Sequence[FrameShown], *, with_values: bool) -> Iterable[str]:
    from streamflow.timetravel.code import short_file

    for frame in frames:
        yield f"  {short_file(frame.file)}:{frame.line} in {frame.function}"
        for line in frame.source.lines:
            if line.waits:
                yield f"    {line.number:>5} > {line.text}"
        if with_values:
            yield from _parts(frame.variables, 2)


def _parts(parts: Sequence[Part], depth: int) -> Iterable[str]:
    """Parts of parts only where the step changed them: the line of the whole shows the beginning of it."""
    for part in parts:
        mark = {"new": "+", "changed": "~", "inside": "~", "gone": "-"}.get(part.change, " ")
        name = f"{part.name} = " if part.name else ""
        yield f"{'  ' * depth}{mark} {name}{part.value.text}"
        if part.change == "inside":
            changed = [one for one in part.value.parts if one.change]
            yield from _parts(changed, depth + 1)


def _trouble(trouble: Trouble, number: int, *, with_values: bool) -> Iterable[str]:
    if trouble.step != number:
        yield f"\nThe code left the history at step {trouble.step}: {trouble.message}"
        return
    yield f"\n{trouble.message}"
    if trouble.expected or trouble.found:
        yield from _events("expected", trouble.expected)
        for found in trouble.found:
            yield f"  {'found':<9}         {found}"
    yield from _frames(trouble.raised_at, with_values=with_values)
