"""A broker with TLS, SASL and an authorizer: roles work with their grants, and one that is missing is named and loses nothing.

Some grants are taken away here; `make faults ARGS="--only grants"` takes each.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from streamflow.kafka import KafkaLog, cluster
from streamflow.ports import LogError
from tests.reliability.grants import Secured, Without, cells, named, secured_broker, tried

pytestmark = [pytest.mark.own_broker, pytest.mark.asyncio, pytest.mark.timeout(240)]

TRIED = [
    "processor without Write on topic secured.orders.history",
    "processor without Write on transactional-id secured.orders.",
    "client without Write on topic secured.orders.inbox",
]


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_broker(Path(tmp_path_factory.mktemp("secured"))) as secured:
        secured.make_topics()
        yield secured


async def test_each_role_does_its_work_with_its_grants_alone(secured: Secured) -> None:
    """Topics made by the admin, a workflow started, run, signalled, queried, and listed by the gateway."""
    assert await secured.serve("greeting") == "Hello you"


@pytest.mark.parametrize(
    "missing", [each for each in cells("processor", "client") if str(each) in TRIED], ids=str
)
async def test_a_missing_grant_is_named_and_loses_nothing(
    secured: Secured, missing: Without
) -> None:
    """What was begun without it ends once it is given."""
    said, came = await tried(secured, missing, TRIED.index(str(missing)))

    assert named(missing, said), said
    assert came == "Hello you"


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
