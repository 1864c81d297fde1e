"""Plugins of the model's that are not here: importing one says so, and what does its work."""

from __future__ import annotations

from typing import NoReturn


def refuse(module: str, instead: str) -> NoReturn:
    """Raises ImportError, which programs with a way around the plugin catch."""
    raise ImportError(
        f"Expected a module of this version of streamflow, found {module}, which is not there: {instead}"
    )


def refuse_agents(module: str) -> NoReturn:
    """A framework of agents, whose calls of models the plugin makes activities."""
    refuse(module, "call models and tools in activities of your own, from workflow code")
