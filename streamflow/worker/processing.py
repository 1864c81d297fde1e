"""The processor of a worker, as its setup says."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec

from streamflow import processor, wiring
from streamflow.common import HeaderCodecBehavior
from streamflow.engine.context import DEFAULT_LIMITS
from streamflow.model.queues import QueueEntry
from streamflow.ports import Stores
from streamflow.worker.capacity.workflow_slots import WorkflowSlots
from streamflow.worker.running.executor import Executor
from streamflow.worker.running.interception import workflow_intercept
from streamflow.worker.running.local import LocalActivityRunner
from streamflow.worker.running.metered import told_of_steps
from streamflow.worker.setup import Setup


def processor_of(
    setup: Setup,
    stores: Stores,
    entry: QueueEntry,
    *,
    name: str,
    folder: Path | None,
    local: Executor,
    workflow_slots: WorkflowSlots | None,
) -> processor.Processor:
    """``name`` is the instance's, ``folder`` where it keeps state, ``local`` what runs local activities."""
    limits = DEFAULT_LIMITS
    if setup.retention is not None:
        limits = msgspec.structs.replace(limits, retention_ms=_ms(setup.retention))
    log = setup.client.log
    options = processor.ProcessorOptions(
        namespace=setup.client.namespace,
        queue=setup.queue,
        name=name,
        partitions=entry.partitions,
        build_id=setup.build_id,
        version=setup.version,
        limits=limits,
        retention_ms={name: _ms(kept) for name, kept in setup.retention_by_type.items()},
        runs_cached_max=setup.runs_cached_max,
        debug=setup.debug,
        state_folder="" if folder is None else str(folder),
        log_id=wiring.log_id(log, made_ms=entry.made_ms),
        snapshot_every_ms=_ms(setup.snapshot_every),
        standby=setup.standby,
    )
    return processor.Processor(
        log,
        stores,
        setup.definitions,
        setup.client.data_converter,
        options,
        LocalActivityRunner(local),
        intercept=workflow_intercept(setup.interceptors),
        traits=setup.traits,
        carried=setup.carried,
        header_codec=setup.client.header_codec_behavior is not HeaderCodecBehavior.NO_CODEC,
        stepped=told_of_steps(setup, workflow_slots),
        snapshots=setup.snapshots,
        archive=setup.archive,
    )


def _ms(duration: timedelta) -> int:
    return duration // timedelta(milliseconds=1)
