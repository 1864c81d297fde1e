"""What stepping a run needs beside the run: made once per processor and handed down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from streamflow.converter import DataConverter
from streamflow.coroutine.definition import WorkflowDefinition
from streamflow.coroutine.interception import Intercept
from streamflow.coroutine.notices import Notice
from streamflow.coroutine.traits import NO_TRAITS, Traits
from streamflow.engine.context import Context
from streamflow.ports import Clock, Log
from streamflow.processor.host.archive import Archive
from streamflow.processor.host.destinations import Destinations
from streamflow.processor.host.neighbours import Neighbours
from streamflow.processor.host.notices import tell
from streamflow.processor.host.quotas import Quotas
from streamflow.processor.host.timezones import zone_rules
from streamflow.processor.host.versions import NONE_CARRIED
from streamflow.processor.host.watchdog import Suspects, Watchdog, code_of
from streamflow.processor.options import ProcessorOptions
from streamflow.processor.payloads.codec import PayloadGate
from streamflow.topology import dead_letters_topic, executions_topic, history_topic, inbox_topic


@dataclass(slots=True)
class Counters:
    """What the processor did since its start. Read by metrics and tests."""

    transactions: int = 0
    aborted: int = 0
    unknown: int = 0
    fenced: int = 0
    commands: int = 0
    events: int = 0
    activations: int = 0
    tasks: int = 0
    replays: int = 0
    stuck: int = 0
    quarantined: int = 0
    dead_letters: int = 0
    passed_over: int = 0
    """Records that the log did not even take as dead letters without a value."""
    forwarded: int = 0
    starts_refused: int = 0
    """For a quota."""
    replies_dropped: int = 0
    undeliverable: int = 0
    """Commands for other queues whose queue is gone."""
    restored_entries: int = 0
    gaps: int = 0
    torn: int = 0
    expired_input: int = 0
    """Inbox records that retention took before anyone had read them."""
    foreign: int = 0
    snapshots_taken: int = 0
    snapshots_failed: int = 0
    snapshots_loaded: int = 0
    snapshots_refused: int = 0
    """Damaged, of another log, ahead of this one, or too old: not used."""
    snapshot_bytes: int = 0
    archived: int = 0
    archive_failed: int = 0
    """Closed runs that could not be archived, each time that it was tried; they are kept."""
    unwritable: int = 0
    """How often the local store's disk took nothing more."""


Stepped = Callable[[str, float], None]
"""Told the workflow type, and the seconds that its code took, after each step of a run's code; on the processor's thread,
which it must not keep."""


@dataclass(slots=True)
class Surroundings:
    options: ProcessorOptions
    clock: Clock
    neighbours: Neighbours
    destinations: Destinations
    quotas: Quotas
    definitions: Mapping[str, WorkflowDefinition]
    converter: DataConverter
    gate: PayloadGate
    suspects: Suspects
    watchdog: Watchdog | None
    entropy: Callable[[], bytes]
    """16 random bytes, new ones at each call."""
    inbox_topic: str
    history_topic: str
    executions_topic: str
    dead_letters_topic: str
    failure_types: tuple[type[BaseException], ...] = ()
    """Exceptions that fail a workflow of this worker, beside the failure types proper."""
    notify: Callable[[Notice], None] = tell
    traits: Traits = NO_TRAITS
    carried: Mapping[str, Mapping[str, WorkflowDefinition]] = field(
        default_factory=dict[str, Mapping[str, WorkflowDefinition]]
    )
    """Code of other versions, for runs that are pinned to them."""
    intercept: Intercept | None = None
    """Makes the interceptors of a run's code."""
    stepped: Stepped | None = None
    archive: Archive | None = None
    """Where closed runs go before they are deleted."""
    counters: Counters = field(default_factory=Counters)

    def refresh(self) -> None:
        """Reads again what others may have changed in the log: topics and quotas."""
        self.destinations.refresh()
        if self.destinations.partitions(self.quotas.topic):
            self.quotas.refresh()

    def close(self) -> None:
        for part in (self.suspects, self.gate, self.quotas):
            part.close()
        if self.watchdog is not None:
            self.watchdog.stop()

    def condemns(self, suspect: str) -> bool:
        """Whether the suspect's steps ended the process so often that its code is not run any more."""
        return self.suspects.count(suspect) >= self.options.quarantine_after

    def context(self, now_ms: int) -> Context:
        options = self.options
        return Context(
            now_ms=now_ms,
            entropy=self.entropy(),
            queue=options.queue,
            limits=options.limits,
            activity_queues=self.destinations.activity_queues,
            workflow_queues=self.destinations.workflow_queues,
            namespace=options.namespace,
            zones=zone_rules,
            retention_ms=options.retention_ms,
            build_id=options.build_id,
        )


def surroundings_of(
    log_: Log,
    definitions: Mapping[str, WorkflowDefinition],
    converter: DataConverter,
    options: ProcessorOptions,
    entropy: Callable[[], bytes],
    *,
    intercept: Intercept | None = None,
    traits: Traits = NO_TRAITS,
    carried: Mapping[str, Mapping[str, WorkflowDefinition]] = NONE_CARRIED,
    header_codec: bool = False,
    stepped: Stepped | None = None,
) -> Surroundings:
    suspects = Suspects(options.state_folder, code_of(definitions.values()))
    watchdog = None
    if log_.threaded and not options.debug:
        watchdog = Watchdog(
            limit_ms=options.step_cpu_limit_ms,
            exit_after_ms=options.step_exit_after_ms,
            suspects=suspects,
        )
    namespace, queue = options.namespace, options.queue
    return Surroundings(
        options=options,
        clock=log_.clock,
        neighbours=Neighbours(log_, namespace),
        destinations=Destinations(log_, namespace),
        quotas=Quotas(log_, namespace, queue),
        definitions=definitions,
        converter=converter,
        gate=PayloadGate(converter, header_codec=header_codec),
        suspects=suspects,
        watchdog=watchdog,
        entropy=entropy,
        inbox_topic=inbox_topic(namespace, queue),
        history_topic=history_topic(namespace, queue),
        executions_topic=executions_topic(namespace),
        dead_letters_topic=dead_letters_topic(namespace),
        intercept=intercept,
        traits=traits,
        carried=carried,
        stepped=stepped,
    )
