"""Ctrl-C ends what goes on until Ctrl-C, whenever it comes."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from streamflow.cli.shared.calling import pause


async def _goes_on() -> None:
    while True:
        # What a library does that has an answer at that very moment.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
        await pause(0)


@pytest.mark.asyncio
async def test_a_cancellation_that_was_lost_in_a_call_ends_the_command() -> None:
    """The task still knows of it."""
    task = asyncio.ensure_future(_goes_on())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
