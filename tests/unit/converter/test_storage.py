"""Large payloads are kept elsewhere: which, by which driver, and what is said when they cannot be had."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from streamflow.api.common.v1 import Payload
from streamflow.converter import (
    ActivitySerializationContext,
    DataConverter,
    ExternalStorage,
    PayloadCodec,
    SerializationContext,
    StorageDriver,
    StorageDriverActivityInfo,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverSelectContext,
    StorageDriverStoreContext,
    StorageDriverWorkflowInfo,
    WorkflowSerializationContext,
)
from streamflow.converter.file_driver import FileStorageDriver
from streamflow.model.payload import REFERENCE_ENCODING


class Shelf(StorageDriver):
    """Keeps payloads in a list."""

    def __init__(self, name: str = "shelf") -> None:
        self._name = name
        self.kept: list[Payload] = []
        self.targets: list[Any] = []

    def name(self) -> str:
        return self._name

    async def store(
        self, context: StorageDriverStoreContext, payloads: Sequence[Payload]
    ) -> list[StorageDriverClaim]:
        self.targets.append(context.target)
        self.kept.extend(payloads)
        first = len(self.kept) - len(payloads)
        return [StorageDriverClaim({"at": str(first + n)}) for n in range(len(payloads))]

    async def retrieve(
        self, context: StorageDriverRetrieveContext, claims: Sequence[StorageDriverClaim]
    ) -> list[Payload]:
        return [self.kept[int(claim.claim_data["at"])] for claim in claims]


def there_and_back(storage: ExternalStorage, values: list[Any]) -> tuple[list[Payload], list[Any]]:
    converter = DataConverter(external_storage=storage)

    async def run() -> tuple[list[Payload], list[Any]]:
        stored = await converter.encode(values)
        return stored, await converter.decode(stored)

    return asyncio.run(run())


def test_only_payloads_from_the_threshold_on_are_kept_elsewhere() -> None:
    shelf = Shelf()

    stored, back = there_and_back(
        ExternalStorage([shelf], payload_size_threshold=1_000), ["a" * 2_000, "small", "b" * 2_000]
    )

    assert [payload.metadata["encoding"] == REFERENCE_ENCODING for payload in stored] == [
        True,
        False,
        True,
    ]
    assert back == ["a" * 2_000, "small", "b" * 2_000]
    assert len(shelf.kept) == 2


def test_the_threshold_is_compared_with_the_exact_size() -> None:
    payload = Payload({"encoding": b"json/plain"}, b'"' + b"a" * 500 + b'"')

    for threshold, kept in [(payload.ByteSize(), 1), (payload.ByteSize() + 1, 0)]:
        shelf = Shelf()
        storage = ExternalStorage([shelf], payload_size_threshold=threshold)
        asyncio.run(storage.store([payload]))
        assert len(shelf.kept) == kept


def test_a_selector_chooses_among_drivers_or_none() -> None:
    left, right = Shelf("left"), Shelf("right")

    def select(context: StorageDriverSelectContext, payload: Payload) -> StorageDriver | None:
        return {b"1": left, b"2": right}.get(payload.data)

    storage = ExternalStorage([left, right], select, payload_size_threshold=0)
    stored, back = there_and_back(storage, [1, 2, 3])

    assert (len(left.kept), len(right.kept)) == (1, 1)
    assert stored[2].data == b"3"
    assert back == [1, 2, 3]


def test_what_is_kept_elsewhere_has_been_through_the_codec() -> None:
    """Whoever runs the store reads nothing."""

    class Hiding(PayloadCodec):
        async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return [Payload({"encoding": b"x"}, p.SerializeToString()[::-1]) for p in payloads]

        async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
            return [Payload.FromString(p.data[::-1]) for p in payloads]

    shelf = Shelf()
    converter = DataConverter(
        payload_codec=Hiding(), external_storage=ExternalStorage([shelf], payload_size_threshold=0)
    )

    async def run() -> list[Any]:
        return await converter.decode(await converter.encode(["secret"]))

    assert asyncio.run(run()) == ["secret"]
    assert b"secret" not in shelf.kept[0].data


@pytest.mark.parametrize(
    ("context", "target"),
    [
        (
            WorkflowSerializationContext("n", "w"),
            StorageDriverWorkflowInfo(namespace="n", id="w"),
        ),
        (
            ActivitySerializationContext("n", "a", "T", "q", "w", "W", False),
            StorageDriverWorkflowInfo(namespace="n", id="w", type="W"),
        ),
        (
            ActivitySerializationContext("n", "a", "T", "q", None, None, False),
            StorageDriverActivityInfo(namespace="n", id="a", type="T"),
        ),
    ],
)
def test_a_driver_is_told_for_whom_it_stores(
    context: SerializationContext, target: StorageDriverWorkflowInfo | StorageDriverActivityInfo
) -> None:
    shelf = Shelf()
    converter = DataConverter(external_storage=ExternalStorage([shelf], payload_size_threshold=0))

    asyncio.run(converter.with_context(context).encode([1]))

    assert shelf.targets == [target]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"drivers": []}, "at least one driver"),
        ({"drivers": [Shelf()], "payload_size_threshold": -1}, "greater than or equal to zero"),
        ({"drivers": [Shelf(), Shelf("other")]}, "driver_selector to be specified"),
        (
            {"drivers": [Shelf(), Shelf()], "driver_selector": lambda context, payload: None},
            "multiple drivers with name 'shelf'",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ExternalStorage(**options)


def test_a_driver_that_was_not_named_is_refused() -> None:
    storage = ExternalStorage(
        [Shelf(), Shelf("b")], lambda context, payload: Shelf("c"), payload_size_threshold=0
    )

    with pytest.raises(ValueError, match="'c', which is not registered"):
        there_and_back(storage, [1])


def test_a_payload_says_whether_it_is_elsewhere() -> None:
    """Programs look at it to see what was stored."""
    storage = ExternalStorage([Shelf("mine")], payload_size_threshold=100)
    converter = DataConverter(external_storage=storage)

    small, large = asyncio.run(converter.encode(["a", "a" * 200]))

    assert not small.external_payloads
    assert len(large.external_payloads) == 1


def test_a_reference_without_its_driver_says_what_is_missing() -> None:
    async def run(reader: DataConverter) -> None:
        writer = DataConverter(
            external_storage=ExternalStorage([Shelf("mine")], payload_size_threshold=0)
        )
        await reader.decode(await writer.encode([1]))

    with pytest.raises(RuntimeError, match=r"\[TMPRL1105\].*external storage is not configured\."):
        asyncio.run(run(DataConverter()))
    with pytest.raises(ValueError, match="No driver found with name 'mine'"):
        asyncio.run(run(DataConverter(external_storage=ExternalStorage([Shelf("other")]))))


def test_a_driver_that_loses_count_is_found_out() -> None:
    class Careless(Shelf):
        async def store(
            self, context: StorageDriverStoreContext, payloads: Sequence[Payload]
        ) -> list[StorageDriverClaim]:
            return []

    with pytest.raises(ValueError, match="returned 0 claims, expected 1"):
        there_and_back(ExternalStorage([Careless()], payload_size_threshold=0), [1])


# -- the driver for a folder --------------------------------------------------------------------------------------


def test_files_are_shared_and_survive(tmp_path: Path) -> None:
    """Equal payloads are one file, and another program finds it."""
    first = ExternalStorage([FileStorageDriver(tmp_path / "p")], payload_size_threshold=0)
    payload = Payload({"encoding": b"json/plain"}, b"1")

    stored = asyncio.run(first.store([payload, payload]))

    second = ExternalStorage([FileStorageDriver(tmp_path / "p")])
    assert asyncio.run(second.retrieve(stored)) == [payload, payload]
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1


def test_damaged_and_missing_files_are_noticed(tmp_path: Path) -> None:
    storage = ExternalStorage([FileStorageDriver(tmp_path)], payload_size_threshold=0)
    stored = asyncio.run(storage.store([Payload(data=b"1")]))
    [file] = [path for path in tmp_path.rglob("*") if path.is_file()]

    file.write_bytes(b"other")
    with pytest.raises(ValueError, match="damaged"):
        asyncio.run(storage.retrieve(stored))
    file.unlink()
    with pytest.raises(ValueError, match="no such file"):
        asyncio.run(storage.retrieve(stored))


def test_a_claim_names_no_other_file(tmp_path: Path) -> None:
    driver = FileStorageDriver(tmp_path)
    claim = StorageDriverClaim({"sha256": "../../etc/passwd"})

    with pytest.raises(ValueError, match="Expected a claim with a SHA-256"):
        asyncio.run(driver.retrieve(StorageDriverRetrieveContext(), [claim]))
