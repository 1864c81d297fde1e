"""Stores under `kill -9` and damage: what is read afterwards is a state that once was, or is refused; never anything else.

A writer counts up: each batch sets every key to its number, and says so in the position. So any mixture of two batches, and any
batch that is partly lost, shows.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Final

from streamflow.ports import Store, StoreCorrupted
from streamflow.rocksdb import RocksStores, StoreBudget

KEYS: Final = [b"k%02d" % number for number in range(40)]
POSITION: Final = b"m"
PADDING: Final = b"." * 200
OPENING_S: Final = 20.0
"""After so long RocksDB will not come back."""
SMALL: Final = StoreBudget(memtable_bytes=64 << 10)
"""Flushes and compactions come every few hundred batches."""


def write(folder: Path) -> None:
    """Counts up for ever, saying each number once its batch is written."""
    stores = RocksStores(folder, budget=SMALL)
    store = stores.open("s")
    number = state_of(store)
    while True:
        number += 1
        batch = store.batch()
        value = b"%d" % number + PADDING
        for key in KEYS:
            batch.put(key, value)
        batch.put(POSITION, value)
        store.write(batch)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


def state_of(store: Store) -> int:
    """The number that the whole store is at. Raises `AssertionError` for a mixture."""
    position = store.get(POSITION)
    rows = dict(store.scan(b"k", b"l"))
    if position is None:
        assert not rows, f"{len(rows)} rows without a position"
        return 0
    assert list(rows) == KEYS, f"rows {list(rows)}"
    assert set(rows.values()) == {position}, "rows of another batch than the position's"
    assert position.endswith(PADDING), position
    return int(position.removesuffix(PADDING))


def kill(times: int, seed: int) -> list[str]:
    """Kills a writer at random moments, again and again on one folder."""
    chance = random.Random(seed)
    found: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "stores"
        for turn in range(times):
            said = _killed(folder, chance.uniform(0.0, 0.15))
            stores = RocksStores(folder)
            try:
                state = state_of(stores.open("s"))
            except (AssertionError, StoreCorrupted) as error:
                found.append(f"kill {turn}: {error!r}")
                shutil.rmtree(folder)
            else:
                if state < said:
                    found.append(f"kill {turn}: at {state}, though {said} was written")
            finally:
                stores.close()
    return found


def _killed(folder: Path, after_s: float) -> int:
    """Lets a writer write for so long after its first batch; the last number that it said."""
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"from tests.reliability.stores import *; write(Path({str(folder)!r}))",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    said = child.stdout.readline()
    time.sleep(after_s)
    child.kill()
    lines = [said, *child.stdout.read().splitlines(keepends=True)]
    child.wait()
    child.stdout.close()
    # The last line may have been cut off.
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1]) if whole else 0


def damage(times: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Flips bits in, cuts and empties files of a killed store; what came of it, and what went unnoticed."""
    chance = random.Random(seed)
    outcomes: Counter[str] = Counter()
    found: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        whole, folder = Path(name) / "whole", Path(name) / "damaged"
        # Killed, so that its newest batches are in the write-ahead log alone.
        written = _killed(whole, 0.2)
        for turn in range(times):
            shutil.copytree(whole, folder)
            what = _damage_one(folder / "s", chance)
            came = _opened(folder, written)
            if came in OUTCOMES:
                outcomes[came] += 1
            else:
                found.append(f"seed {seed}, damage {turn} ({what}): {came}")
            shutil.rmtree(folder)
    return outcomes, found


OUTCOMES: Final = ("read as it was", "an earlier state", "refused", "never opened, then new")


def look(folder: Path, written: int) -> str:
    """What a process finds that opens the store."""
    stores = RocksStores(folder)
    try:
        state = state_of(stores.open("s"))
    except StoreCorrupted:
        return "refused"
    except (AssertionError, OSError) as error:
        return repr(error)
    finally:
        stores.close()
    return "read as it was" if state >= written else "an earlier state"


def _opened(folder: Path, written: int) -> str:
    """The same of a process of its own, for RocksDB may never come back; the next one must then begin anew."""
    code = f"from tests.reliability.stores import *; print(look(Path({str(folder)!r}), {written}))"
    command = [sys.executable, "-c", code]
    try:
        child = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=OPENING_S
        )
    except subprocess.TimeoutExpired:
        again = look(folder, written)
        return "never opened, then new" if again == "an earlier state" else f"never, then {again}"
    lines = child.stdout.splitlines()
    return lines[-1] if lines else f"ended with {child.returncode}: {child.stderr[-300:]}"


def _damage_one(folder: Path, chance: random.Random) -> str:
    files = sorted(
        file for file in folder.iterdir() if file.stat().st_size and not file.name.startswith("LOG")
    )
    file = chance.choice(files)
    content = bytearray(file.read_bytes())
    match chance.choice(("flip", "flip", "cut", "empty", "zeros")):
        case "flip":
            at = chance.randrange(len(content))
            content[at] ^= 1 << chance.randrange(8)
            what = f"a bit of {file.name} at {at}"
        case "cut":
            at = chance.randrange(len(content))
            del content[at:]
            what = f"{file.name} cut at {at}"
        case "zeros":
            at = chance.randrange(len(content))
            length = min(512, len(content) - at)
            content[at : at + length] = bytes(length)
            what = f"zeros in {file.name} at {at}"
        case _:
            content.clear()
            what = f"{file.name} emptied"
    file.write_bytes(content)
    return what
