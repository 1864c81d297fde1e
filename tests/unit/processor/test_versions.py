"""Runs that are pinned to a worker version, and processors that are of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from streamflow import workflow
from streamflow.client import WorkflowExecutionStatus
from streamflow.common import (
    AutoUpgradeVersioningOverride,
    PinnedVersioningOverride,
    RawValue,
    VersioningBehavior,
    WorkerDeploymentVersion,
)
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker, WorkerDeploymentConfig

pytestmark = pytest.mark.asyncio
ONE, TWO = WorkerDeploymentVersion("shop", "1"), WorkerDeploymentVersion("shop", "2")


class Reports:
    """Two versions of one workflow: each says which it is, when it is told to go on."""

    says = ""

    def __init__(self) -> None:
        self.goes_on = False

    @workflow.signal
    def go_on(self) -> None:
        self.goes_on = True

    async def report(self) -> list[str]:
        version = workflow.info().get_current_deployment_version()
        began = version.to_canonical_string() if version else ""
        await workflow.wait_condition(lambda: self.goes_on)
        version = workflow.info().get_current_deployment_version()
        changed = workflow.info().is_target_worker_deployment_version_changed()
        ended = version.to_canonical_string() if version else ""
        assert version is None or version.build_id == workflow.info().get_current_build_id()
        return [self.says, began, ended, str(changed)]


def report(behaviour: VersioningBehavior, says: str) -> type:
    """One version's class."""

    @workflow.defn(name="Report", versioning_behavior=behaviour)
    class Report(Reports):
        @workflow.run
        async def run(self) -> list[str]:
            self.says = says
            return await self.report()

    return Report


def worker(
    env: WorkflowEnvironment, version: WorkerDeploymentVersion, cls: type, **options: Any
) -> Worker:
    config = WorkerDeploymentConfig(version=version, use_worker_versioning=True)
    return Worker(env.client, task_queue="q", workflows=[cls], deployment_config=config, **options)


PINNED, UPGRADES = VersioningBehavior.PINNED, VersioningBehavior.AUTO_UPGRADE


async def test_a_run_that_may_upgrade_goes_on_with_the_new_version() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with worker(env, ONE, report(UPGRADES, "old")):
            handle = await env.client.start_workflow("Report", id="w", task_queue="q")
            await handle.query("__stack_trace")
        async with worker(env, TWO, report(UPGRADES, "new")):
            await handle.signal("go_on")

            assert await handle.result() == ["new", "shop.1", "shop.2", "False"]


async def test_a_pinned_run_waits_for_its_version() -> None:
    """A newer one says so and leaves it alone; the older one, back again, ends it."""
    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with worker(env, ONE, report(PINNED, "old")):
            handle = await env.client.start_workflow("Report", id="w", task_queue="q")
            await handle.query("__stack_trace")
        async with worker(env, TWO, report(PINNED, "new")):
            await handle.signal("go_on")
            trouble = (await handle.describe()).trouble
            assert trouble is not None
            assert trouble.kind == "version"
            assert "'shop.1'" in trouble.message
            assert "shop.2" in trouble.message
        async with worker(env, ONE, report(PINNED, "old")):
            assert await handle.result() == ["old", "shop.1", "shop.1", "False"]


async def test_a_new_version_may_carry_the_code_of_an_old_one_along() -> None:
    """Its pinned runs drain there, and know that there is a newer one; new runs are of the new version."""
    old, new = report(PINNED, "old"), report(PINNED, "new")
    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with worker(env, ONE, old):
            handle = await env.client.start_workflow("Report", id="w", task_queue="q")
            await handle.query("__stack_trace")
        async with worker(env, TWO, new, pinned_versions={ONE: [old]}):
            late = await env.client.start_workflow(
                "Report", id="late", task_queue="q", start_signal="go_on"
            )
            await handle.signal("go_on")

            assert await handle.result() == ["old", "shop.1", "shop.1", "True"]
            assert await late.result() == ["new", "shop.2", "shop.2", "False"]


async def test_an_override_pins_or_frees_one_run() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with worker(env, ONE, report(PINNED, "old")):
            free = await env.client.start_workflow(
                "Report",
                id="free",
                task_queue="q",
                versioning_override=AutoUpgradeVersioningOverride(),
            )
            await free.query("__stack_trace")
        old = report(UPGRADES, "old")
        async with worker(env, TWO, report(UPGRADES, "new"), pinned_versions={ONE: [old]}):
            pinned = await env.client.start_workflow(
                "Report",
                id="pinned",
                task_queue="q",
                versioning_override=PinnedVersioningOverride(ONE),
                start_signal="go_on",
            )
            await free.signal("go_on")

            assert (await free.result())[0] == "new"
            assert (await pinned.result())[:2] == ["old", "shop.1"]
            assert (await pinned.describe()).status is WorkflowExecutionStatus.COMPLETED


@workflow.defn(versioning_behavior=VersioningBehavior.PINNED)
class Continues(Reports):
    @workflow.run
    async def run(self, upgrade: bool, last: bool) -> str:
        if not last:
            await workflow.wait_condition(lambda: self.goes_on)
            behaviour = workflow.ContinueAsNewVersioningBehavior
            workflow.continue_as_new(
                args=[upgrade, True],
                initial_versioning_behavior=behaviour.AUTO_UPGRADE if upgrade else None,
            )
        version = workflow.info().get_current_deployment_version()
        return version.to_canonical_string() if version else ""


@pytest.mark.parametrize(("upgrade", "version"), [(False, "shop.1"), (True, "shop.2")])
async def test_continuing_keeps_the_version_unless_told_otherwise(
    upgrade: bool, version: str
) -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with worker(env, ONE, Continues):
            handle = await env.client.start_workflow(
                Continues.run, args=[upgrade, False], id="w", task_queue="q"
            )
            await handle.query("__stack_trace")
        async with worker(env, TWO, Continues, pinned_versions={ONE: [Continues]}):
            await handle.signal("go_on")

            assert await handle.result() == version


async def test_a_workflow_without_a_behaviour_is_refused_where_versions_are_used() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        with pytest.raises(ValueError, match="versioning behavior"):
            worker(env, ONE, report(VersioningBehavior.UNSPECIFIED, ""))


def anything(behaviour: VersioningBehavior, says: str) -> type:
    """A dynamic workflow, which says of each run whether it is pinned."""

    @workflow.defn(dynamic=True)
    class Anything(Reports):
        @workflow.dynamic_config
        def config(self) -> workflow.DynamicWorkflowConfig:
            return workflow.DynamicWorkflowConfig(versioning_behavior=behaviour)

        @workflow.run
        async def run(self, args: Sequence[RawValue]) -> list[str]:
            self.says = says
            return await self.report()

    return Anything


async def test_a_dynamic_workflow_says_itself_whether_it_is_pinned() -> None:
    old, new = anything(PINNED, "old"), anything(PINNED, "new")
    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with worker(env, ONE, old):
            handle = await env.client.start_workflow("Whatever", id="w", task_queue="q")
            await handle.query("__stack_trace")
        async with worker(env, TWO, new, pinned_versions={ONE: [old]}):
            await handle.signal("go_on")

            assert (await handle.result())[:3] == ["old", "shop.1", "shop.1"]


async def test_a_version_that_is_only_shown_pins_nothing() -> None:
    old, new = anything(PINNED, "old"), anything(PINNED, "new")
    shown = [WorkerDeploymentConfig(version=v, use_worker_versioning=False) for v in (ONE, TWO)]
    async with await WorkflowEnvironment.start_time_skipping() as env:
        client = env.client
        async with Worker(client, task_queue="q", workflows=[old], deployment_config=shown[0]):
            handle = await client.start_workflow("Whatever", id="w", task_queue="q")
            await handle.query("__stack_trace")
        async with Worker(client, task_queue="q", workflows=[new], deployment_config=shown[1]):
            await handle.signal("go_on")

            assert (await handle.result())[:3] == ["new", "shop.1", "shop.2"]
