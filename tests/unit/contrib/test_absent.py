"""Plugins that are not here say so where they are imported, and name what does their work."""

from __future__ import annotations

import importlib

import pytest


@pytest.mark.parametrize(
    ("module", "instead"),
    [
        ("openai_agents", "activities of your own"),
        ("openai_agents.workflow", "activities of your own"),
        ("langgraph", "activities of your own"),
        ("google_adk_agents", "activities of your own"),
        ("google_genai", "activities of your own"),
        ("strands", "activities of your own"),
        ("deepagents", "activities of your own"),
        ("langsmith", "contrib.opentelemetry"),
        ("gcp.cloud_run.id", "identity"),
        ("aws.lambda_worker", "as a service"),
    ],
)
def test_importing_a_plugin_that_is_not_there(module: str, instead: str) -> None:
    """An ImportError, for programs that can do without it."""
    with pytest.raises(ImportError, match=instead):
        importlib.import_module(f"streamflow.contrib.{module}")
