"""The files that docs/gateway.md shows are such files, and its table has every option."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from streamflow.cli.processes.gateway_options import GatewayOptions, variable
from streamflow.gateway.access import load_access
from streamflow.gateway.webhooks import load_webhooks

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "gateway.md").read_text()
ENVIRON = dict.fromkeys(
    ("CI_TOKEN", "OIDC_SECRET", "SESSION_SECRET", "PUSHED_SECRET", "PAID_SECRET"), "x" * 40
)


def test_the_files_of_the_page_are_read(tmp_path: Path) -> None:
    """Word for word."""
    access, webhooks = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)
    (tmp_path / "access.toml").write_text(access)
    (tmp_path / "webhooks.toml").write_text(webhooks)

    found = load_access(tmp_path / "access.toml", ENVIRON)

    assert found is not None
    assert found.oidc is not None
    assert len(load_webhooks(tmp_path / "webhooks.toml", ENVIRON)) == 2


def test_every_option_is_in_the_table_with_its_variable() -> None:
    """By the flag's name."""
    for field in fields(GatewayOptions):
        flag = f"--{field.name.replace('_', '-')}"
        assert f"| `{flag}` | `{variable(field.name)}` |" in TEXT, flag
