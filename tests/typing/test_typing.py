"""Type checkers infer what calls take and give. The cases beside this file state it; here they are checked.

`tests/typing` is within what mypy checks in `make check` too; an ignored error that is none fails both.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CASES = ["tests/typing/in_workflows.py", "tests/typing/in_clients.py"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_cases_are_as_they_say(checker: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", checker, *CASES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
