"""The tree of commands. Only names are here: a command's module is loaded when it is called."""

from __future__ import annotations

from importlib.metadata import version as version_of

from cyclopts import App

app = App(
    name="streamflow",
    help="Durable execution on Kafka. Exit codes: 0 done, 1 failed, 2 used wrongly, 3 not found, 4 no answer in "
    "time, 5 nobody there.",
    version=lambda: version_of("streamflow"),
)

app.command("streamflow.cli.init:init", help="Make a project to begin with.")
app.command(
    "streamflow.cli.processes.dev:dev", help="Run Apps on this machine: embedded log, HTTP API."
)
app.command("streamflow.cli.processes.worker_group:group", name="worker", help="Run Apps on Kafka.")
app.command("streamflow.cli.processes.gateway:gateway", help="Serve the web UI and the HTTP API.")
app.command("streamflow.cli.code.replay:replay", help="Run a downloaded history again.")
app.command("streamflow.cli.code.check:check", help="Find traps in workflow code.")
app.command("streamflow.cli.code.graph:graph", help="Draw what a workflow can do.")
app.command("streamflow.cli.operating.doctor:doctor", help="Find what is wrong, and what mends it.")
app.command("streamflow.cli.completion:completion", help="Print a shell's completion script.")
app.command("streamflow.cli.version:version", help="Print the version.")

workflow = App(name="workflow", help="Start workflows and speak to them.")
for _name, _help in {
    "start": "Start a workflow.",
    "signal": "Send a signal.",
    "query": "Ask the workflow's code.",
    "stack": "Show where the code stands.",
    "result": "Wait for the end and print the result.",
    "cancel": "Ask a workflow to stop.",
    "terminate": "End a workflow at once.",
    "describe": "Show where a workflow stands.",
    "history": "Show or save a run's events.",
}.items():
    workflow.command(f"streamflow.cli.workflows.workflow:{_name}", help=_help)
for _name, _help in {
    "pause": "Hold a workflow's code back.",
    "unpause": "Let a paused workflow go on.",
    "delete": "Take a closed workflow away.",
    "reset": "Go back to before a step.",
}.items():
    workflow.command(f"streamflow.cli.workflows.steering:{_name}", help=_help)
workflow.command("streamflow.cli.workflows.showing:show", help="Draw what a run did.")
workflow.command(
    "streamflow.cli.code.graph:of_run", name="graph", help="Draw the way that a run went."
)
workflow.command(
    "streamflow.cli.workflows.updates:update", help="Change a workflow and print its answer."
)
workflow.command("streamflow.cli.workflows.listing:list_", name="list", help="List workflows.")
workflow.command("streamflow.cli.workflows.listing:count", name="count", help="Count workflows.")
app.command(workflow)

archive = App(name="archive", help="Runs that were archived before their deletion.")
archive.command("streamflow.cli.operating.archive:list_", name="list", help="List archived runs.")
archive.command("streamflow.cli.operating.archive:get", help="Print or save an archived run.")
app.command(archive)

batch = App(name="batch", help="One operation on every workflow that a list filter finds.")
for _name, _help in {
    "cancel": "Ask them to stop.",
    "terminate": "End them at once.",
    "signal": "Send them a signal.",
    "pause": "Hold their code back.",
    "unpause": "Let paused workflows go on.",
    "reset": "Go back to before their first or last step.",
    "delete": "Take closed workflows away.",
}.items():
    batch.command(f"streamflow.cli.operating.batch:{_name}", help=_help)
app.command(batch)

schedule = App(name="schedule", help="Start workflows again and again.")
for _name, _help in {
    "create": "Make a schedule.",
    "describe": "Show a schedule.",
    "list_": "List schedules.",
    "pause": "Pause a schedule.",
    "unpause": "Let a paused schedule go on.",
    "trigger": "Act now.",
    "backfill": "Act now for a stretch of time.",
    "delete": "End a schedule.",
    "serve": "Run schedules on Kafka.",
}.items():
    schedule.command(
        f"streamflow.cli.operating.schedule:{_name}", name=_name.rstrip("_"), help=_help
    )
app.command(schedule)

namespace = App(name="namespace", help="Namespaces of a Kafka, each with topics of its own.")
for _name, _help in {
    "create": "Make a namespace.",
    "list_": "List namespaces.",
    "describe": "Show a namespace.",
    "update": "Change a namespace's quotas and notes.",
    "delete": "Delete a namespace, for good.",
}.items():
    namespace.command(
        f"streamflow.cli.operating.namespace:{_name}", name=_name.rstrip("_"), help=_help
    )
app.command(namespace)

search_attribute = App(name="search-attribute", help="Declare what list filters may name.")
for _name, _help in {
    "create": "Declare a search attribute.",
    "list_": "List what is declared.",
    "delete": "Take a declaration back.",
}.items():
    search_attribute.command(
        f"streamflow.cli.operating.search_attribute:{_name}", name=_name.rstrip("_"), help=_help
    )
app.command(search_attribute)

task_queue = App(name="task-queue", help="Task queues, and who serves them.")
task_queue.command(
    "streamflow.cli.operating.task_queue:list_", name="list", help="List task queues."
)
task_queue.command(
    "streamflow.cli.operating.task_queue:describe", help="Show a queue's partitions."
)
app.command(task_queue)

config = App(name="config", help="The settings that commands go by.")
config.command("streamflow.cli.config:show_", name="show", help="Show settings.")
config.command("streamflow.cli.config:list_", name="list", help="List profiles.")
app.command(config)

activity = App(name="activity", help="Steer pending activities, and start some without a workflow.")
for _name, _help in {
    "pause": "Begin no further attempt.",
    "unpause": "Let a paused activity go on.",
    "reset": "Count attempts from 1 again.",
    "complete": "End an activity with a result.",
    "fail": "End an attempt with a failure.",
}.items():
    activity.command(f"streamflow.cli.activities.activity:{_name}", help=_help)
for _name, _help in {
    "start": "Start an activity without a workflow.",
    "list_": "List activities without a workflow.",
    "count": "Count them.",
    "describe": "Show where one stands.",
    "result": "Wait for its end and print its result.",
    "cancel": "Ask it to stop.",
    "terminate": "End it at once.",
}.items():
    activity.command(
        f"streamflow.cli.activities.standalone:{_name}", name=_name.rstrip("_"), help=_help
    )
activity.command(
    "streamflow.cli.activities.activity_options:update_options",
    name="update-options",
    help="Change a pending activity's options.",
)
app.command(activity)

dlq = App(name="dlq", help="Dead letters: what could not be taken.")
for _name, _help in {
    "list_": "List dead letters.",
    "show_": "Show a dead letter and what to do about it.",
    "redrive": "Send dead letters once more.",
    "purge": "Put dead letters away.",
}.items():
    dlq.command(f"streamflow.cli.operating.dlq:{_name}", name=_name.rstrip("_"), help=_help)
app.command(dlq)

audit = App(name="audit", help="Who changed what through a gateway.")
audit.command("streamflow.cli.operating.audit:list_", name="list", help="List what was changed.")
app.command(audit)

topology = App(name="topology", help="Show and make the topics that streamflow needs on Kafka.")
topology.command("streamflow.cli.operating.topology:plan", help="Show what apply would do.")
topology.command("streamflow.cli.operating.topology:apply", help="Make topics and queues.")
topology.command(
    "streamflow.cli.operating.topology_acls:acls", help="Print the grants that a role needs."
)
app.command(topology)

schemas = App(name="schemas", help="Our Avro schemas in a schema registry.")
schemas.command("streamflow.cli.operating.schemas:check", help="Show which ones fit there.")
schemas.command("streamflow.cli.operating.schemas:register", help="Register what is not there.")
app.command(schemas)
