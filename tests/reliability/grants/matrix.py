"""Which grants there are to be taken away, and what comes of each: somebody says which one is missing, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from structlog.testing import capture_logs

from streamflow.testing.kafka_security import Mechanism
from streamflow.topology.grants import ROLES, Role, grants
from tests.reliability.grants.secured import NAMESPACE, QUEUE, Secured, Without, secured_broker
from tests.reliability.grants.work import Work

TRIED_FOR: Final = timedelta(seconds=4)
"""How long a call is waited for without the grant; five times that for all of the work."""
PATIENCE: Final = timedelta(seconds=40)
"""How long a call is waited for with it: an attempt that was never reported has to time out first."""


IMPLIED: Final = {"AlterConfigs": "DescribeConfigs"}
"""What comes with an operation, and may be missed first."""


def cells(*roles: Role) -> list[Without]:
    """Every one of these roles."""
    return [
        Without(role, grant, operation)
        for role in roles
        for grant in grants(NAMESPACE, [QUEUE], role)
        for operation in grant.operations
    ]


async def tried(secured: Secured, work: Work, missing: Without, number: int) -> tuple[str, str]:
    """What was said without the grant, and what the same work came to once it was given again."""
    with _all_is_said(), capture_logs() as logs, secured.without(missing):
        try:
            # What an administrator does is done in a thread, and its calls end by themselves.
            within = None if missing.role == "admin" else TRIED_FOR.total_seconds() * 5
            async with asyncio.timeout(within):
                raised = await work.of(missing.role, number, patience=TRIED_FOR)
        except BaseException as error:
            raised = f"{type(error).__name__}: {error}"
    said = "\n".join((raised, *(str(line) for line in logs)))
    return said, await work.of(missing.role, number, patience=PATIENCE)


@contextlib.contextmanager
def _all_is_said() -> Iterator[None]:
    """Also in a process that was told to be quiet."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("info"))
    try:
        yield
    finally:
        structlog.configure(**before)


def wrong_with(missing: Without, said: str, came: str) -> str:
    """What is not as promised; empty if all is."""
    if "run_quarantined" in said or "record_passed_over" in said:
        return f"{missing}: something was given up"
    if not came.endswith("Hello you"):
        return f"{missing}: came to {came}"
    if missing.grant.optional:
        # All is done without it, and nobody needs to complain.
        done = "Hello you" in said.splitlines()
        return "" if done or named(missing, said) else f"{missing}: expected to do without"
    return "" if named(missing, said) else f"{missing}: nobody named it"


def named(missing: Without, said: str) -> bool:
    """Whether somebody says which grant is missing, in the words that it is given in, and with the command."""
    words = {missing.operation, IMPLIED.get(missing.operation, missing.operation)}
    return any(
        any(word in line for word in words)
        and missing.grant.name in line
        and ("Grant this client" in line or "grant this client" in line)
        and ("kafka-acls.sh" in line or "streamflow topology acls" in line)
        for line in said.splitlines()
    )


def failures(step: int, folder: Path, *, mechanism: Mechanism = "PLAIN") -> tuple[int, list[str]]:
    """Takes away each ``step``-th grant; how many, and what was not named or was lost."""
    chosen = cells(*ROLES)[::step]
    with secured_broker(folder, mechanism=mechanism) as secured:
        secured.make_topics()
        return len(chosen), asyncio.run(_wrong(secured, Work(secured, folder), chosen))


async def _wrong(secured: Secured, work: Work, chosen: list[Without]) -> list[str]:
    wrong: list[str] = []
    for number, missing in enumerate(chosen):
        try:
            said, came = await tried(secured, work, missing, number)
        except Exception as error:
            wrong.append(f"{missing}: lost, for with the grant again: {error!r}")
        else:
            wrong += [found for found in (wrong_with(missing, said, came),) if found]
    return wrong
