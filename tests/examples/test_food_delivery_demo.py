"""The demo as a person starts it: a program that shows orders moving, and ends when it is told to."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
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


def test_an_order_outlives_the_demo_that_took_it(tmp_path: Path) -> None:
    """Killed while orders wait, and started again on the same folder: the order that nobody fetches is refunded."""
    data = ["--data", str(tmp_path)]
    with started(*data) as killed:
        open_order = first_paid_order(killed)
        killed.kill()
    with started(*data) as again:
        site = addresses(again)[1]

        seen = ""
        deadline = time.monotonic() + 60
        while "Refunded" not in seen and time.monotonic() < deadline:
            seen = httpx.get(f"{site}orders/{open_order}").text
            time.sleep(0.1)

        again.kill()
    assert "Nobody could pick up your order" in seen


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_says_what_to_open_and_ends_on_a_signal(how: signal.Signals) -> None:
    """The addresses that it prints answer, and Ctrl-C ends it without a stack trace."""
    with started() as demo:
        for url in addresses(demo):
            assert httpx.get(url, follow_redirects=True).status_code == 200

        demo.send_signal(how)

        assert demo.wait(30) == 0
        assert demo.stderr is not None
        assert demo.stderr.read() == ""


def test_more_orders_come_when_the_first_are_over() -> None:
    """So that there is always one to follow, until somebody ends the demo."""
    with started() as demo:
        assert demo.stdout is not None
        lines = iter(demo.stdout)
        first: set[str] = set()
        for line in lines:
            first |= set(re.findall(r"demo-\w+", line))
            if "More orders come" in line:
                break
        later: set[str] = set()
        for line in lines:
            later |= set(re.findall(r"(demo-\w+) +paid", line))
            if len(later - first) == 2:
                break

        demo.send_signal(signal.SIGTERM)

        assert demo.wait(30) == 0
        assert demo.stderr is not None
        assert demo.stderr.read() == ""


@contextmanager
def started(*options: str) -> Iterator[subprocess.Popen[str]]:
    """A demo that runs until the block ends."""
    command = [*DEMO, *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        try:
            yield demo
        finally:
            demo.kill()


def addresses(demo: subprocess.Popen[str]) -> list[str]:
    """What it says to open: the web UI, the menu, the driver's page, the API."""
    assert demo.stdout is not None
    said = "".join(demo.stdout.readline() for _ in range(4))
    urls = re.findall(r"http://\S+", said)
    assert len(urls) == 4, said
    return urls


def first_paid_order(demo: subprocess.Popen[str]) -> str:
    assert demo.stdout is not None
    for line in demo.stdout:
        if found := re.search(r"(demo-\w+) +paid", line):
            return found[1]
    raise AssertionError("Expected an order to be paid, found the demo's end")
