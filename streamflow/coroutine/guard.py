"""Keeps clocks, chance and I/O out of workflow code. The one module of the pure core that touches the process.

`step` makes a run's loop the running one and marks its thread, which is what the guard looks for: while no thread is
in a step, a patched function costs one look at an empty set (asking for the running loop would be a system call each
time). Who is refused is judged by frames:

- clocks and chance: the calling frame. The standard library's own use passes (`logging` reads the clock for each
  record), as does that of libraries that observe (`OBSERVERS`); workflow code's does not.
- files, sockets, threads, processes and entropy (an audit hook sees most of them): the nearest frame that is not the
  standard library's, so that ``Path.read_text`` is the caller's doing. Logging, tracebacks and imports pass.

What it cannot see: names imported from `time` or `random` before the guard was installed, and blocking on a lock.
`streamflow check` finds the former, the step limit the latter. It is no security boundary.
"""

# ruff: noqa: TID251 - what is banned elsewhere is what this module patches.

from __future__ import annotations

import asyncio
import contextvars
import ctypes
import datetime
import functools
import gc
import glob
import os
import random
import secrets
import sys
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Generator
from concurrent import futures
from contextlib import contextmanager
from threading import get_ident
from types import FrameType
from typing import Any, NoReturn

from streamflow.coroutine import refused
from streamflow.coroutine.completion import in_order_of_completion
from streamflow.coroutine.errors import RestrictedWorkflowAccessError, StepLimitExceeded
from streamflow.coroutine.guarding import passes
from streamflow.coroutine.loop import WorkflowLoop

__all__ = ["ForbiddenInWorkflow", "StepLimitExceeded", "install", "step", "unrestricted"]

OBSERVERS = frozenset(
    {
        "structlog",
        "loguru",
        "opentelemetry",
        "sentry_sdk",
        "prometheus_client",
        "coverage",
        "pydevd",
    }
)
"""Libraries whose use of the clock and of chance never reaches a workflow's decisions."""

_LIBRARIES = frozenset(
    {
        "pydantic",
        "pydantic_core",
        "annotated_types",
        "google",
        "typing_extensions",
        "attr",
        "msgspec",
    }
)
"""Libraries of values, which look at the clock or at files only to make themselves ready."""
_PASSING = sys.stdlib_module_names | OBSERVERS | _LIBRARIES | {"streamflow"}
_PLUMBING = (
    {"logging", "traceback", "linecache", "tokenize", "importlib", "_frozen_importlib", "warnings", "zipimport"}
    | {"_frozen_importlib_external", "inspect", "pkgutil", "encodings", "zoneinfo", "mimetypes"}
    | OBSERVERS
)  # fmt: skip
"""Modules that may do I/O on their own account while a step runs."""

_unrestricted = contextvars.ContextVar("streamflow_unrestricted", default=False)
_stepping: set[int] = set()
"""Threads that are in a guarded step. Each thread adds and removes only itself."""
_get_running_loop = asyncio._get_running_loop
_set_running_loop = asyncio._set_running_loop


ForbiddenInWorkflow = RestrictedWorkflowAccessError
"""What a refused call raises. Nothing was done."""


# -- the step ------------------------------------------------------------------------------------------------------


class step:
    """Context manager: on this thread, ``loop`` is the running loop, and the garbage collector waits.

    A loop that was running (the memory log turns processors on the caller's) is put back afterwards with its task.
    """

    __slots__ = ("_collect", "_hooks", "_loop", "_marked", "_outer", "_task")

    def __init__(self, loop: WorkflowLoop) -> None:
        self._loop = loop

    def __enter__(self) -> None:
        self._outer = outer = _get_running_loop()
        self._task = asyncio.current_task(outer) if outer is not None else None
        if self._task is not None:
            asyncio._leave_task(outer, self._task)  # type: ignore[arg-type]  # outer is set when a task is
        self._collect = gc.isenabled()
        gc.disable()
        self._hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._loop.hold_generator, None)
        _set_running_loop(self._loop)
        self._marked = 0
        if self._loop.guarded and (thread_id := get_ident()) not in _stepping:
            self._marked = thread_id
            _stepping.add(thread_id)

    def __exit__(self, *exc_info: object) -> None:
        if self._marked:
            _stepping.discard(self._marked)
        _set_running_loop(self._outer)
        sys.set_asyncgen_hooks(*self._hooks)
        if self._collect:
            gc.enable()
        if self._task is not None:
            asyncio._enter_task(self._outer, self._task)  # type: ignore[arg-type]


@contextmanager
def unrestricted() -> Generator[None]:
    """Lifts the guard for what this context runs."""
    token = _unrestricted.set(True)
    try:
        yield
    finally:
        _unrestricted.reset(token)


def is_unrestricted() -> bool:
    return _unrestricted.get()


# -- judging -------------------------------------------------------------------------------------------------------


def _guarded() -> bool:
    return bool(_stepping) and get_ident() in _stepping


def _package(frame: FrameType) -> str:
    name: str = frame.f_globals.get("__name__") or "?"
    return name.partition(".")[0]


def _judge_caller(name: str, advice: str, frame: FrameType) -> None:
    """Refuses a call that ``frame`` itself made, if it is workflow code's."""
    if _package(frame) not in _PASSING and _is_workflow_code(name, frame):
        _refuse(name, advice, frame)


def _judge_nearest(name: str, advice: str, frame: FrameType | None) -> None:
    """Refuses what the nearest frame outside the standard library had done for it, if it is workflow code's."""
    while frame is not None:
        package = _package(frame)
        if package in _PLUMBING:
            return
        if package not in sys.stdlib_module_names:
            if package not in _PASSING and _is_workflow_code(name, frame):
                _refuse(name, advice, frame)
            return
        frame = frame.f_back


def _is_workflow_code(name: str, frame: FrameType) -> bool:
    """Whether this frame of the user's may not do this: it is guarded, and runs again on replay."""
    loop = _get_running_loop()
    if _unrestricted.get() or _importing(frame) or not isinstance(loop, WorkflowLoop):
        return False
    guarding = loop.guarding
    if name.removesuffix("()") in guarding.allowed:
        return False
    return not passes(frame.f_globals.get("__name__") or "?", guarding)


def _importing(frame: FrameType | None) -> bool:
    """Whether this is the body of a module being imported: it runs once per process, not once per run."""
    while frame is not None:
        if frame.f_code.co_name == "<module>" and not frame.f_code.co_filename.startswith("<"):
            return True
        if _package(frame) in ("streamflow", "asyncio"):
            return False
        frame = frame.f_back
    return False


def _refuse(name: str, advice: str, frame: FrameType) -> NoReturn:
    raise RestrictedWorkflowAccessError(
        name.removesuffix("()"),
        override_message=f"Expected deterministic workflow code, found {name} at "
        f"{frame.f_code.co_filename}:{frame.f_lineno}: {advice}",
    )


# -- what stands in for what is refused -----------------------------------------------------------------------------------------------


def _by_caller(function: Callable[..., Any], name: str, advice: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if _guarded():
            _judge_caller(name, advice, sys._getframe(1))
        return function(*args, **kwargs)

    return guarded


def _by_nearest(function: Callable[..., Any], name: str, advice: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if _guarded():
            _judge_nearest(name, advice, sys._getframe(1))
        return function(*args, **kwargs)

    return guarded


def _without_argument(function: Callable[..., Any], name: str, advice: str) -> Callable[..., Any]:
    @functools.wraps(function)
    def guarded(*args: Any) -> Any:
        if not args and _guarded():
            _judge_caller(name, advice, sys._getframe(1))
        return function(*args)

    return guarded


def _audit(event: str, args: tuple[object, ...]) -> None:
    if event in refused.AUDITED and _guarded():
        if event != "open":
            _judge_nearest(event, refused.AUDITED[event], sys._getframe(1))
        elif "zoneinfo" not in str(args[0]):  # which reads time zones in C, for whoever asks
            _judge_nearest("__builtins__.open", refused.AUDITED[event], sys._getframe(1))


# -- putting it in place -------------------------------------------------------------------------------------------

_installed = False


def install() -> None:
    """Patches the process, once. Until a step runs, everything behaves as before."""
    global _installed
    if _installed:
        return
    _installed = True
    for name, advice in refused.CLOCKS.items():
        wrap = _without_argument if name in refused.TAKE_A_TIME else _by_caller
        setattr(time, name, wrap(getattr(time, name), f"time.{name}()", advice))
    for name in refused.CHANCES:
        setattr(random, name, _by_caller(getattr(random, name), f"random.{name}()", refused.CHANCE))
    for name in refused.SECRETS:
        setattr(
            secrets, name, _by_caller(getattr(secrets, name), f"secrets.{name}()", refused.CHANCE)
        )
    # uuid1 and uuid4 may have been imported by name; both then ask for entropy or the clock through their module.
    os.urandom = _by_nearest(os.urandom, "os.urandom()", refused.CHANCE)
    uuid.uuid1 = _by_caller(uuid.uuid1, "uuid.uuid1()", "use workflow.uuid7()")
    uuid.uuid4 = _by_caller(uuid.uuid4, "uuid.uuid4()", "use workflow.uuid4()")
    os.getcwd = _by_nearest(os.getcwd, "os.getcwd()", refused.IO)
    os.getenv = _by_caller(os.getenv, "os.getenv()", refused.SETTINGS)
    glob.glob = _by_caller(glob.glob, "glob.glob()", refused.IO)
    glob.iglob = _by_caller(glob.iglob, "glob.iglob()", refused.IO)
    threading.current_thread = _by_caller(
        threading.current_thread,
        "threading.current_thread()",
        "a workflow has no thread of its own",
    )
    for pool in (futures.ThreadPoolExecutor, futures.ProcessPoolExecutor):
        pool.__init__ = _by_caller(  # type: ignore[method-assign]
            pool.__init__, f"concurrent.futures.{pool.__name__}()", refused.THREADS
        )
    threading.Thread.start = _by_nearest(  # type: ignore[method-assign]
        threading.Thread.start,
        "threading.Thread.start()",
        refused.AUDITED["_thread.start_new_thread"],
    )
    _patch_datetime()
    _patch_as_completed()
    _patch_wait()
    sys.addaudithook(_audit)


def _patch_datetime() -> None:
    """``now``, ``utcnow`` and ``today`` read the clock in C, and are methods of types that take no attributes.

    Replacing the classes would break ``isinstance`` and type hints, so the entries of their dictionaries are replaced.
    An interpreter that has no such dictionary goes without.
    """
    for cls, names in ((datetime.datetime, ("now", "utcnow")), (datetime.date, ("today",))):
        entries = next(iter(gc.get_referents(vars(cls))), None)
        if type(entries) is not dict or names[0] not in entries:
            return
        for name in names:
            full = f"datetime.{cls.__name__}.{name}()"
            entries[name] = classmethod(_guarded_clock(entries[name], full))
        ctypes.pythonapi.PyType_Modified(ctypes.py_object(cls))


def _patch_as_completed() -> None:
    """asyncio's makes tasks in the order of a set of coroutines, which no history records; ours takes the order given."""
    original = asyncio.as_completed

    @functools.wraps(original)
    def as_completed(fs: Any, *, timeout: float | None = None) -> Any:
        loop = _get_running_loop()
        if isinstance(loop, WorkflowLoop):
            _warn_of_asyncio("as_completed", loop, sys._getframe(1))
            return in_order_of_completion(loop, fs, timeout)
        return original(fs, timeout=timeout)

    asyncio.as_completed = asyncio.tasks.as_completed = as_completed


def _patch_wait() -> None:
    """asyncio's works here, as futures of a workflow have an order; whoever asked for it is warned all the same."""
    original = asyncio.wait

    @functools.wraps(original)
    def wait(fs: Any, **options: Any) -> Any:
        loop = _get_running_loop()
        if isinstance(loop, WorkflowLoop):
            _warn_of_asyncio("wait", loop, sys._getframe(1))
        return original(fs, **options)

    asyncio.wait = asyncio.tasks.wait = wait


def _warn_of_asyncio(name: str, loop: WorkflowLoop, frame: FrameType) -> None:
    if loop.guarding.warns and _package(frame) not in _PASSING and not _unrestricted.get():
        warnings.warn(
            f"asyncio.{name}() is non-deterministic in other runners of workflows; use workflow.{name}() instead",
            UserWarning,
            stacklevel=3,
        )


def _guarded_clock(descriptor: Any, name: str) -> Callable[..., Any]:
    def now(cls: type, *args: Any, **kwargs: Any) -> Any:
        if _guarded():
            _judge_caller(name, refused.NOW, sys._getframe(1))
        return descriptor.__get__(None, cls)(*args, **kwargs)

    now.__name__ = name
    return now
