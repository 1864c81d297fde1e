"""Which thread this is, as the interpreter itself counts threads."""

from __future__ import annotations

import ctypes

_ident = ctypes.pythonapi.PyThread_get_thread_ident
_ident.argtypes = ()
_ident.restype = ctypes.c_ulong


def thread_ident() -> int:
    """What `threading.get_ident` gives, also where a library has put its own in place: gevent's names greenlets.

    Clocks of threads, stacks, and exceptions raised into a thread need the real one.
    """
    return int(_ident())
