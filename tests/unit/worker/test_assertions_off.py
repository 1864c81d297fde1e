"""Workflows are not run by a Python that checks nothing; activities may be."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio
from streamflow import activity, workflow
from streamflow.config import AssertionsOff
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

@activity.defn
async def nothing() -> None: ...

@workflow.defn
class Hello:
    @workflow.run
    async def run(self) -> str:
        return "hello"

async def main() -> None:
    async with await WorkflowEnvironment.start_time_skipping() as env:
        async with Worker(env.client, task_queue="a", activities=[nothing]):
            pass
        try:
            async with Worker(env.client, task_queue="q", workflows=[Hello]):
                print(await env.client.execute_workflow(Hello.run, id="h", task_queue="q"))
        except AssertionsOff as error:
            print(error)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-O"], "Expected assertions to be on where workflows run, found them off"),
        ([], "hello"),
    ],
    ids=["python -O", "python"],
)
def test_workflows_need_assertions(options: list[str], said: str) -> None:
    ran = subprocess.run(
        [sys.executable, *options, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, "PYTHONPATH": os.getcwd()},
        check=False,
    )

    assert said in ran.stdout, ran.stderr
