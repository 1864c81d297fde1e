"""What every test may use: a real Kafka, and names that no other test has."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import uuid
from collections.abc import Generator, Iterator

import pytest
import structlog
from hypothesis import settings

from streamflow.processor.state.draft import Drafts
from streamflow.testing.kafka import BOOTSTRAP_VARIABLE, kafka_for_tests
from streamflow.testing.kafka_cluster import KafkaCluster

SKIPS_FAIL = bool(os.environ.get("CI"))
GRACE_S = 300
"""A test that has not ended so long after its time ends the whole process. Its own limit is none once it has failed."""
_STDERR = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_STDERR] = os.dup(2)  # not captured yet
    # A shell has what it starts in the background ignore Ctrl-C, and so would everything that the tests start.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # No test is one of speed; in CI Hypothesis sees to that by itself.
    if not SKIPS_FAIL:
        settings.register_profile("untimed", deadline=None)
        settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    options = parser.getgroup("streamflow")
    options.addoption("--seed", type=int, help="run the simulation for this one seed")
    many = 2_000 if SKIPS_FAIL else 200
    options.addoption(
        "--seeds", type=int, default=many, help="run it for so many (default 200, in CI 2000)"
    )
    options.addoption(
        "--evict",
        action="store_true",
        help="forget every workflow's coroutine after each step, so that each step replays its whole history first",
    )


@pytest.fixture(autouse=True)
def evict(pytestconfig: pytest.Config, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``--evict``: whatever does not replay as it ran shows as a run that is stuck."""
    if pytestconfig.getoption("--evict"):
        shrink = Drafts.shrink
        monkeypatch.setattr(Drafts, "shrink", lambda drafts, _runs_max: shrink(drafts, 0))


@pytest.fixture(scope="session")
def seeds(pytestconfig: pytest.Config) -> range:
    """The seeds that this run of the simulation is to try."""
    one: int | None = pytestconfig.getoption("--seed")
    return range(pytestconfig.getoption("--seeds")) if one is None else range(one, one + 1)


@pytest.fixture(scope="session")
def kafka_bootstrap() -> Iterator[str]:
    """`HOST:PORT` of a Kafka shared by the whole run. Where none can be had the test fails, never skips."""
    with kafka_for_tests() as bootstrap:
        yield bootstrap


@pytest.fixture(scope="session")
def kafka_cluster() -> Iterator[KafkaCluster]:
    """Three brokers that tests may break, and mend before they end."""
    with KafkaCluster() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def logging_as_found() -> Iterator[None]:
    """Takes back what a command under test configured for its whole process, or later tests hear no logs."""
    yield
    if structlog.is_configured():
        structlog.reset_defaults()
        root = logging.getLogger()
        root.setLevel(logging.WARNING)
        for handler in [*root.handlers]:
            if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter):
                root.removeHandler(handler)


@pytest.fixture
def namespace() -> str:
    """A streamflow namespace of this test alone; topics that begin with it are this test's as well."""
    return f"t-{uuid.uuid4().hex[:10]}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests that break brokers when the broker to use is somebody's own."""
    if not os.environ.get(BOOTSTRAP_VARIABLE):
        return
    left_out = [item for item in items if item.get_closest_marker("own_broker")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """No test stops all others for good: with every thread's stack the process ends."""
    _end_if_it_hangs(item)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(
    node: pytest.Item | pytest.Collector, report: pytest.CollectReport | pytest.TestReport
) -> None:
    """A failure stops every clock, for debuggers, though what is torn down after it may hang as well."""
    if isinstance(node, pytest.Item) and not node.config.getoption("usepdb"):
        _end_if_it_hangs(node)
    if SKIPS_FAIL:  # at once: a run that is ended from outside would never tell
        told = f"\n{node.nodeid} failed\n{report.longreprtext}\n"
        os.write(node.config.stash[_STDERR], told.encode())


def _end_if_it_hangs(item: pytest.Item) -> None:
    mark = item.get_closest_marker("timeout")
    limit_s = float(mark.args[0] if mark else item.config.getini("timeout"))
    faulthandler.dump_traceback_later(limit_s + GRACE_S, exit=True, file=item.config.stash[_STDERR])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test has failed: a test that may silently not run proves nothing."""
    report = yield
    if SKIPS_FAIL and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skips are failures in CI: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a file that is skipped as a whole."""
    report = yield
    if SKIPS_FAIL and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"Skips are failures in CI: {report.longrepr}"
    return report
