"""This machine and process: where local state goes, how much room is there, and which libraries are loaded."""

from __future__ import annotations

import os
import platform
import re
import shutil
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Final

from streamflow.config import state_home
from streamflow.doctor.findings import Finding, fine, note, problem

FREE_BYTES_MIN: Final = 1 << 30
FREE_SHARE_MIN: Final = 0.05
_REQUIREMENT: Final = re.compile(r"([A-Za-z0-9_.-]+)(?:\[[^]]*\])?\s*([^;]*)(;.*)?")


def machine_findings(state_dir: Path | None = None) -> list[Finding]:
    return [*folder_findings(state_dir or state_home()), *library_findings()]


def folder_findings(folder: Path) -> list[Finding]:
    """Whether state can be kept there, and how much."""
    there = folder
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK | os.X_OK):
        return [
            problem(
                str(folder),
                "Expected a folder that this user may write to, found that it may not",
                "another one with --state-dir, or its rights",
            )
        ]
    usage = shutil.disk_usage(there)
    told = f"{usage.free / (1 << 30):.1f} GiB of {usage.total / (1 << 30):.1f} GiB are free"
    if usage.free < FREE_BYTES_MIN or usage.free < FREE_SHARE_MIN * usage.total:
        return [
            problem(
                str(folder),
                f"Expected {FREE_BYTES_MIN >> 30} GiB and {FREE_SHARE_MIN:.0%} to be free, found that {told}: a full disk "
                "stops the partitions here",
                "room on that disk; the folder is a cache, so one of a processor that does not run may be deleted",
            )
        ]
    return [fine(str(folder), f"local state can be kept: {told}")]


def library_findings() -> list[Finding]:
    """Whether every library is as new as this release needs."""
    findings: list[Finding] = []
    if not __debug__:
        findings.append(
            problem(
                "Python",
                "Expected assertions to be on, found python -O: what must be true is not checked before it is committed",
                "python without -O, and no PYTHONOPTIMIZE",
            )
        )
    found: list[str] = []
    for name, least in _needed():
        try:
            present = metadata.version(name)
        except metadata.PackageNotFoundError:
            findings.append(
                problem(
                    name,
                    f"Expected version {least} or later, found none",
                    f"pip install '{name}>={least}'",
                )
            )
            continue
        if _numbers(present) < _numbers(least):
            findings.append(
                problem(
                    name,
                    f"Expected version {least} or later, found {present}",
                    f"pip install '{name}>={least}'",
                )
            )
        found.append(f"{name} {present}")
    if _librdkafka():
        found.append(f"librdkafka {_librdkafka()}")
    own = metadata.version("streamflow")
    findings.append(
        fine(
            "libraries", f"streamflow {own}, Python {platform.python_version()}, {', '.join(found)}"
        )
    )
    if platform.python_implementation() != "CPython":
        findings.append(
            note("Python", f"Tested is CPython, found {platform.python_implementation()}")
        )
    return findings


def _needed() -> Iterator[tuple[str, str]]:
    """Names and least versions of what this release needs in any case."""
    for requirement in metadata.requires("streamflow") or []:
        parsed = _REQUIREMENT.match(requirement)
        if parsed is None or "extra ==" in (parsed[3] or ""):
            continue
        least = re.search(r">=\s*([0-9.]+)", parsed[2])
        if least is not None:
            yield parsed[1], least[1]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _librdkafka() -> str:
    """Version of the C library behind the client for Kafka."""
    try:
        from confluent_kafka import libversion
    except ImportError:
        return ""
    return str(libversion()[0])
