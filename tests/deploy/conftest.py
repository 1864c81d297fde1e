"""The programs that these tests need: there in CI, else the tests say how to get them."""

from __future__ import annotations

import pytest

from tests.deploy.tools import TOOLS, path_of


@pytest.fixture(autouse=True)
def tools(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("deploy") is None:
        return
    missing = [name for name in TOOLS if not path_of(name).exists()]
    if missing:
        pytest.skip(f"Expected {', '.join(missing)}, found none: `make test-deploy` builds them")
