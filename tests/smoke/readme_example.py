"""Prints the first Python example of the README, to be run where only the wheel is installed.

python tests/smoke/readme_example.py > example.py
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def first_python_example(markdown: str) -> str:
    """The inside of the first fenced block marked as Python.

    Raises:
        LookupError: There is none.
    """
    block = re.search(r"^```(?:python|py)\b[^\n]*\n(.*?)^```", markdown, re.DOTALL | re.MULTILINE)
    if block is None:
        raise LookupError("Expected a block fenced as ```python in README.md, found none")
    return block[1]


if __name__ == "__main__":
    sys.stdout.write(first_python_example(README.read_text(encoding="utf-8")))
