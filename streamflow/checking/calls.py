"""Functions that workflow code must not call, by full name, each with its code and what to use instead."""

from __future__ import annotations

from typing import Final

_NOW = "use workflow.now() or workflow.time()"
_CHANCE = "use workflow.random()"
_ACTIVITY = "do it in an activity"

CALLS: Final[dict[str, tuple[str, str]]] = {
    **dict.fromkeys(
        (
            *("time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns"),
            *("time.perf_counter", "time.perf_counter_ns", "time.process_time"),
            *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today"),
            "datetime.date.today",
        ),
        ("SF001", _NOW),
    ),
    "time.sleep": ("SF007", "use await workflow.sleep() or asyncio.sleep()"),
    "input": ("SF007", "wait for a signal instead"),
    "breakpoint": (
        "SF007",
        "run the worker with debug_mode, or `streamflow replay`, and remove it again",
    ),
    "uuid.uuid1": ("SF003", "use workflow.uuid7()"),
    "uuid.uuid4": ("SF003", "use workflow.uuid4()"),
    "os.getenv": ("SF015", "take settings as arguments, or read them in an activity"),
    "os.environ.get": ("SF015", "take settings as arguments, or read them in an activity"),
    "open": ("SF006", _ACTIVITY),
    "print": ("SF019", "use workflow.logger, which is silent on replay"),
    "asyncio.wait": ("SF012", "use workflow.wait(), whose order is the one given"),
    "asyncio.as_completed": ("SF012", "use workflow.as_completed(), whose order is the one given"),
    "asyncio.run": ("SF007", "await the coroutine"),
    "asyncio.to_thread": ("SF004", _ACTIVITY),
    "asyncio.create_subprocess_exec": ("SF004", _ACTIVITY),
    "asyncio.create_subprocess_shell": ("SF004", _ACTIVITY),
    "asyncio.open_connection": ("SF005", _ACTIVITY),
    "asyncio.start_server": ("SF005", _ACTIVITY),
}
"""Exact names. Builtins are there by their bare name."""

PREFIXES: Final[tuple[tuple[str, str, str], ...]] = (
    ("random.", "SF002", _CHANCE),
    ("secrets.", "SF002", _CHANCE),
    ("numpy.random.", "SF002", _CHANCE),
    ("os.urandom", "SF002", _CHANCE),
    ("threading.", "SF004", "use asyncio tasks, or an activity"),
    ("multiprocessing.", "SF004", _ACTIVITY),
    ("concurrent.futures.", "SF004", _ACTIVITY),
    ("subprocess.", "SF004", _ACTIVITY),
    ("os.system", "SF004", _ACTIVITY),
    ("os.fork", "SF004", _ACTIVITY),
    ("os.spawn", "SF004", _ACTIVITY),
    ("socket.", "SF005", _ACTIVITY),
    ("ssl.", "SF005", _ACTIVITY),
    ("http.client.", "SF005", _ACTIVITY),
    ("urllib.request.", "SF005", _ACTIVITY),
    ("requests.", "SF005", _ACTIVITY),
    ("httpx.", "SF005", _ACTIVITY),
    ("aiohttp.", "SF005", _ACTIVITY),
    ("smtplib.", "SF005", _ACTIVITY),
    ("boto3.", "SF005", _ACTIVITY),
    ("psycopg.", "SF005", _ACTIVITY),
    ("sqlite3.", "SF006", _ACTIVITY),
    ("shutil.", "SF006", _ACTIVITY),
    ("tempfile.", "SF006", _ACTIVITY),
    ("glob.", "SF006", _ACTIVITY),
    ("io.open", "SF006", _ACTIVITY),
    ("os.listdir", "SF006", _ACTIVITY),
    ("os.scandir", "SF006", _ACTIVITY),
    ("os.remove", "SF006", _ACTIVITY),
    ("os.rename", "SF006", _ACTIVITY),
    ("os.mkdir", "SF006", _ACTIVITY),
    ("os.makedirs", "SF006", _ACTIVITY),
    ("os.getcwd", "SF006", _ACTIVITY),
)
"""Everything that begins like this."""

PATH_METHODS: Final = frozenset(
    {"read_text", "read_bytes", "write_text", "write_bytes", "unlink", "mkdir", "iterdir"}
)
"""Methods whose names alone say that a file is meant."""


def forbidden(name: str) -> tuple[str, str] | None:
    """The code and the advice for calling this."""
    found = CALLS.get(name)
    if found is not None:
        return found
    for prefix, code, advice in PREFIXES:
        if name.startswith(prefix):
            return code, advice
    return None
