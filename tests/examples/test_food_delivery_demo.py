"""The demo as a person starts it: a program that shows orders moving, and ends when it is told to."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

DEMO = [sys.executable, "-u", "-m", "examples.food_delivery.demo", "--port", "0"]
ROOT = Path(__file__).parents[2]


def test_orders_move_by_themselves_until_they_are_over() -> None:
    """Paid, picked up, delivered, declined and refunded orders are all seen, and the demo ends well."""
    ended = subprocess.run(
        [*DEMO, "--once"], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False
    )

    assert ended.returncode == 0, ended.stderr
    for seen in ("picked up", "delivered", "refunded", "was declined", "Rate your meal"):
        assert seen in ended.stdout
    assert ended.stderr == ""


def test_the_demo_ends_when_its_time_is_over() -> None:
    """`--for` ends it in the middle of orders, without a complaint."""
    ended = subprocess.run(
        [*DEMO, "--for", "2"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_says_what_to_open_and_ends_on_a_signal(how: signal.Signals) -> None:
    """The addresses that it prints answer, and Ctrl-C ends it without a stack trace."""
    with subprocess.Popen(
        DEMO, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        try:
            assert demo.stdout is not None
            assert demo.stderr is not None
            said = "".join(demo.stdout.readline() for _ in range(3))
            urls = re.findall(r"http://\S+", said)
            assert len(urls) == 3, said
            for url in urls:
                assert httpx.get(url).status_code == 200
            demo.send_signal(how)
            assert demo.wait(30) == 0
            assert demo.stderr.read() == ""
        finally:
            demo.kill()
