"""The fixture that users import into their conftest: here without a broker of its own."""

from __future__ import annotations

import pytest

pytest_plugins = ("pytester",)

CONFTEST = """
from streamflow.testing.kafka import streamflow_kafka
"""
TESTS = """
def test_one(streamflow_kafka):
    assert streamflow_kafka == "127.0.0.1:1"
"""


def test_it_is_there_by_importing_its_name(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No plugin is loaded for it, and a broker that the environment names is used."""
    monkeypatch.setenv("STREAMFLOW_TEST_BOOTSTRAP", "127.0.0.1:1")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(TESTS)

    pytester.runpytest("-p", "no:cacheprovider").assert_outcomes(passed=1)
