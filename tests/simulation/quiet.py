"""Faults are many and planned: what the code says about each would drown, and slow down, everything."""

from __future__ import annotations

import logging

import structlog


def be_quiet() -> None:
    """For a process that does nothing else."""
    quiet_events()
    logging.disable(logging.CRITICAL)


def quiet_events() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
