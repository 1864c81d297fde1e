"""A broker with TLS, SASL and an authorizer: roles work with their grants, and one that is missing is named and loses nothing.

Some grants are taken away here; `make faults ARGS="--only grants"` takes each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow.kafka import KafkaLog, cluster
from streamflow.ports import LogError
from tests.reliability.grants.matrix import PATIENCE, cells, tried, wrong_with
from tests.reliability.grants.secured import Secured, Without, secured_broker
from tests.reliability.grants.work import Work

pytestmark = [pytest.mark.own_broker, pytest.mark.asyncio, pytest.mark.timeout(240)]

TRIED = [
    "client without Write on topic secured.orders_5Fof_5Ftoday.inbox",
    "processor without Write on topic secured.dead-letters",
]
"""One that a caller is told of, one that makes a partition wait."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("secured"))


@pytest.fixture(scope="module")
def secured(folder: Path) -> Iterator[Secured]:
    with secured_broker(folder, mechanism="SCRAM-SHA-512") as secured:
        secured.make_topics()
        yield secured


@pytest.fixture(scope="module")
def work(secured: Secured, folder: Path) -> Work:
    return Work(secured, folder)


async def test_each_role_does_its_work_with_its_grants_alone(work: Work) -> None:
    """Topics made by the admin, a workflow started, run, signalled, queried, and listed by the gateway."""
    assert (await work.of("gateway", 1_000, patience=PATIENCE)).endswith("Hello you")
    assert (await work.of("admin", 1_000, patience=PATIENCE)).endswith("Hello you")


@pytest.mark.parametrize(
    "missing", [each for each in cells("processor", "client") if str(each) in TRIED], ids=str
)
async def test_a_missing_grant_is_named_and_loses_nothing(
    secured: Secured, work: Work, missing: Without
) -> None:
    """What was begun without it ends once it is given."""
    said, came = await tried(secured, work, missing, TRIED.index(str(missing)))

    assert not wrong_with(missing, said, came), said


async def test_all_that_is_to_be_tried_exists() -> None:
    assert {str(each) for each in cells("processor", "client")} >= set(TRIED)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"sasl.password": "guessed"}, "_AUTHENTICATION"),
        ({"ssl.ca.location": None}, "_SSL"),
        ({"security.protocol": "PLAINTEXT"}, "Try again"),
    ],
    ids=["password", "certificate", "plain text"],
)
async def test_who_is_not_let_in_is_told_why(
    secured: Secured,
    options: dict[str, str | None],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither by a wrong password, nor trusting another certificate, nor without TLS, which the broker does not answer."""
    monkeypatch.setattr(cluster, "REQUEST_TIMEOUT_S", 3.0)
    config = {**secured.config("client"), **options}
    given = {name: value for name, value in config.items() if value is not None}

    with pytest.raises(LogError, match=said) as refused:
        KafkaLog.connect(secured.bootstrap, **given)

    assert "guessed" not in str(refused.value)
