"""Nothing that a workflow says can be read without the key."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from examples.encryption.app import converter_of
from examples.encryption.codec import EncryptionCodec
from examples.encryption.workflows import Diagnose, ask_a_doctor
from streamflow.api.common.v1 import Payload
from streamflow.client import Client, WorkflowFailureError
from streamflow.exceptions import ActivityError, ApplicationError
from streamflow.testing import WorkflowEnvironment
from streamflow.worker import Worker

OLD, NEW = {"old": b"o" * 32}, {"new": b"n" * 32}
PAYLOAD = Payload(metadata={"encoding": b"json/plain"}, data=b'"a cough"')


def encrypt(codec: EncryptionCodec, payload: Payload = PAYLOAD) -> Payload:
    return asyncio.run(codec.encode([payload]))[0]


def decrypt(codec: EncryptionCodec, payload: Payload) -> Payload:
    return asyncio.run(codec.decode([payload]))[0]


def test_a_payload_comes_back_and_cannot_be_read_in_between() -> None:
    codec = EncryptionCodec(NEW, "new")

    stored = encrypt(codec)

    assert b"cough" not in stored.SerializeToString()
    assert stored != encrypt(codec)
    assert decrypt(codec, stored) == PAYLOAD


def test_keys_can_be_changed_while_workflows_run() -> None:
    stored = encrypt(EncryptionCodec(OLD, "old"))

    assert decrypt(EncryptionCodec(OLD | NEW, "new"), stored) == PAYLOAD
    with pytest.raises(ValueError, match="one of the keys"):
        decrypt(EncryptionCodec(NEW, "new"), stored)
    with pytest.raises(ValueError, match="to encrypt with"):
        EncryptionCodec(NEW, "old")


def test_a_changed_payload_is_noticed() -> None:
    codec = EncryptionCodec(NEW, "new")
    stored = encrypt(codec)
    stored.data = stored.data[:-1] + bytes([stored.data[-1] ^ 1])

    with pytest.raises(ValueError, match="found a changed one"):
        decrypt(codec, stored)


@asynccontextmanager
async def ward() -> AsyncGenerator[Client]:
    converter = converter_of(EncryptionCodec(NEW, "new"))
    async with (
        await WorkflowEnvironment.start_time_skipping(data_converter=converter) as env,
        Worker(
            env.client,
            task_queue="q",
            workflows=[Diagnose],
            activities=[ask_a_doctor],
            max_cached_workflows=0,
        ),
    ):
        yield env.client


@pytest.mark.asyncio
async def test_a_history_says_nothing_to_who_has_no_key() -> None:
    async with ward() as client:
        handle = await client.start_workflow(
            Diagnose.run, "a cough", id="p", task_queue="q", memo={"ward": "cough ward"}
        )

        assert await handle.result() == "rest, for a cough"
        assert "cough" not in repr((await handle.fetch_history()).events)


@pytest.mark.asyncio
async def test_failures_say_nothing_either() -> None:
    async with ward() as client:
        handle = await client.start_workflow(Diagnose.run, "nothing", id="p", task_queue="q")
        with pytest.raises(WorkflowFailureError) as raised:
            await handle.result()

        assert isinstance(raised.value.cause, ActivityError)
        cause = raised.value.cause.cause
        assert isinstance(cause, ApplicationError)
        assert cause.message == "Not ill at all: nothing"
        assert "Not ill" not in repr((await handle.fetch_history()).events)
