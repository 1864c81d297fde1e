"""What the documents show runs, and what they link to is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.smoke.readme_example import first_python_example

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("examples/*/README.md")),
]


def test_the_first_example_of_the_readme_runs_by_itself(tmp_path: Path) -> None:
    """Typed into an interpreter, without a file of its own, it prints its mail and leaves nothing behind."""
    example = first_python_example((ROOT / "README.md").read_text(encoding="utf-8"))

    ended = subprocess.run(
        [sys.executable, "-I", "-c", example],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (ended.stdout, ended.stderr) == ("To Ada: How was your month?\n", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_of_a_document_lead_somewhere(document: Path) -> None:
    """Every relative link names a file or folder of the project."""
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    relative = [link for link in links if "://" not in link]

    assert [link for link in relative if not (document.parent / link).exists()] == []


def test_files_that_the_architecture_names_exist() -> None:
    """A record's way is told with the names of today."""
    text = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    names = set(re.findall(r"`([a-z_/]+\.py)`", text))

    files = [str(path.relative_to(ROOT)) for path in ROOT.glob("streamflow/**/*.py")]
    assert len(names) > 20
    assert [name for name in sorted(names) if not any(f.endswith("/" + name) for f in files)] == []
