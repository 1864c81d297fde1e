"""A name for the code that a process runs: a hash of its modules, for ``Worker(build_id=...)``."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from types import CodeType, ModuleType

HEX_DIGITS = 32


def load_default_build_id(*, memoize: bool = True) -> str:
    """A hash over the bytecode of every module that is loaded now; other code, or another order of imports, changes it.

    Computed once for a process, unless ``memoize`` is off.
    """
    return _remembered() if memoize else _build_id()


@cache
def _remembered() -> str:
    return _build_id()


def _build_id() -> str:
    digest = hashlib.sha256()
    for name in sorted(sys.modules):
        code = _code_of(sys.modules[name])
        if code is not None:
            digest.update(name.encode())
            digest.update(code)
    return digest.hexdigest()[:HEX_DIGITS]


def _code_of(module: ModuleType | None) -> bytes | None:
    """The module's bytecode, functions within it included; ``None`` for one that has none, such as a C extension."""
    spec = getattr(module, "__spec__", None)
    get_code = getattr(getattr(spec, "loader", None), "get_code", None)
    if get_code is None:
        return None
    try:
        code = get_code(getattr(spec, "name", None))
    except Exception:  # a loader that cannot say has no part in the hash
        return None
    return _all_of(code) if isinstance(code, CodeType) else None


def _all_of(code: CodeType) -> bytes:
    inner = b"".join(_all_of(const) for const in code.co_consts if isinstance(const, CodeType))
    return code.co_code + repr(code.co_names).encode() + inner
