"""Threads are known by the interpreter's own numbers, whatever a library put in place of `threading.get_ident`."""

from __future__ import annotations

import threading

import pytest

from streamflow.thread_identity import thread_ident


def test_the_real_number_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the calling thread: clocks, stacks and exceptions raised into threads go by it. gevent's numbers name greenlets."""
    real = threading.get_ident()
    monkeypatch.setattr(threading, "get_ident", lambda: 7)

    assert thread_ident() == real
