"""``streamflow workflow show``: a run's steps as a timeline, drawn again as it goes on with ``--follow``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from streamflow.cli.shared.address import Connection
from streamflow.cli.shared.arguments import HERE, LATEST, Target, WorkflowID
from streamflow.cli.shared.calling import called, pause
from streamflow.cli.shared.exits import ExitCode
from streamflow.cli.shared.output import Form, print_data
from streamflow.cli.shared.terminal import Drawing, is_terminal, painted, width

if TYPE_CHECKING:
    from streamflow.client import Client, WorkflowExecutionDescription, WorkflowHandle
    from streamflow.model.events import Recorded
    from streamflow.ui.steps import Step

FOLLOW_S = 0.5


def show(
    workflow_id: WorkflowID,
    /,
    *,
    follow: Annotated[
        bool,
        Parameter(
            name=["--follow", "-f"],
            negative=(),
            help="Go on until the run ends. Without a terminal: a line for each step once it has ended.",
        ),
    ] = False,
    last: Annotated[int, Parameter(help="So many steps, the latest. 0 means all.")] = 200,
    target: Target = LATEST,
    output: Form = "table",
    connection: Connection = HERE,
) -> int:
    """Draws what a run did: a line for each activity, timer, child and message, with a bar to scale."""

    async def call(client: Client) -> int:
        run = Run(client, workflow_id, target)
        await run.read()
        if not follow:
            if output == "table":
                print("\n".join(run.lines(last)))
            else:
                print_data(run.facts(last), output)
        elif output == "table" and is_terminal():
            await _drawn_again(run, last)
        else:
            await _told_as_they_end(run, output)
        return ExitCode.OK

    return called(connection, call)


class Run:
    """A run as it was read last: its description, and every event so far."""

    def __init__(self, client: Client, workflow_id: str, target: Target) -> None:
        self._client = client
        self._handle: WorkflowHandle[Any, Any] = client.get_workflow_handle(
            workflow_id, run_id=target.run_id, task_queue=target.queue
        )
        self._patience = target.patience
        self._events: list[Recorded] = []
        self._about: WorkflowExecutionDescription | None = None

    @property
    def about(self) -> WorkflowExecutionDescription:
        assert self._about is not None
        return self._about

    @property
    def closed(self) -> bool:
        """Whether it has ended, and all of its events are here."""
        return self.about.facts.closed_ms > 0 and len(self._events) >= self.about.history_length

    async def read(self) -> None:
        """What came since. Stays with the run that was read first."""
        from streamflow.client.errors import raise_refusal
        from streamflow.client.transport import EventsPage
        from streamflow.model.answers import Rejection

        if self._about is not None:
            self._handle = self._client.get_workflow_handle(
                self._about.id, run_id=self._about.run_id, task_queue=self._about.task_queue
            )
        self._about = await self._handle.describe(rpc_timeout=self._patience)
        facts = self._about.facts
        more = True
        while more:
            after = self._events[-1].seq if self._events else 0
            page = await self._client.transport.events(
                facts.queue, facts.workflow_id, facts.run_id, after
            )
            if isinstance(page, Rejection):
                raise_refusal(page)
            assert isinstance(page, EventsPage), page
            self._events += page.events
            more = page.more and bool(page.events)

    def steps(self) -> list[Step]:
        from streamflow.ui.steps import steps_of

        return steps_of(self._events, self.about.facts)

    def facts(self, last: int) -> dict[str, Any]:
        """For programs."""
        from streamflow.cli.workflows.timeline import facts_of

        about = self.about
        return {
            "workflow_id": about.id,
            "run_id": about.run_id,
            "type": about.workflow_type,
            "status": about.status.name.lower(),
            "started": about.start_time,
            "closed": about.close_time,
            "trouble": about.trouble and f"{about.trouble.kind}: {about.trouble.message}",
            "steps": [facts_of(step) for step in self.steps()[-last:]],
        }

    def lines(self, last: int) -> list[str]:
        """For people."""
        from streamflow.cli.workflows.timeline import draw
        from streamflow.ui.formats import duration

        about, columns = self.about, width()
        facts = about.facts
        until_ms = facts.closed_ms or self._client.transport.now_ms()
        status = about.status.name.lower()
        head = f"{about.workflow_type} {about.id}  {painted(status, status)}  "
        lines = [head + duration(until_ms - (facts.execution_ms or facts.started_ms)), ""]
        if about.trouble is not None:
            trouble = f"{about.trouble.kind}: {about.trouble.message}".splitlines()[0]
            lines[1:] = [f"{trouble}"[:columns], about.trouble.advice[:columns], ""]
        steps = self.steps()
        shown = steps[-last:]
        if len(shown) < len(steps):
            lines.append(f"({len(steps) - len(shown)} steps before these; --last 0 shows all)")
        return lines + draw(shown, until_ms=until_ms, width=columns)


async def _drawn_again(run: Run, last: int) -> None:
    drawing = Drawing()
    while True:
        drawing.draw(run.lines(last))
        if run.closed:
            return
        await pause(FOLLOW_S)
        await run.read()


async def _told_as_they_end(run: Run, output: Form) -> None:
    from streamflow.cli.workflows.timeline import facts_of

    told: set[int] = set()
    while True:
        for step in run.steps():
            # The first event of a step is its own; at the end those that never ended are told too.
            ended = step.ended_ms or run.closed
            if ended and step.seqs[0] not in told:
                told.add(step.seqs[0])
                facts = facts_of(step)
                if output == "table":
                    about = f"  {facts['failure']}" if facts["failure"] else ""
                    when = facts["ended"] or facts["begun"]
                    print(f"{when}  {step.kind} {step.name}: {step.state}{about}", flush=True)
                else:
                    # A document for each would be no document together.
                    print_data([facts], "yaml" if output == "yaml" else "jsonl")
        if run.closed:
            return
        await pause(FOLLOW_S)
        await run.read()
