"""Everything that reads bytes, given damaged ones: it reads them or refuses them, in bounded time and memory.

The inputs are records of ours (tests/golden) and public ones with bytes changed, cut, repeated and mixed; a seed names them.
"""

from __future__ import annotations

import json
import random
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from streamflow.ports import Record
from streamflow.wire import codec
from streamflow.wire.errors import Undecodable
from streamflow.wire.header import unpack
from streamflow.wire.inbox import decode_inbox, decode_reply
from streamflow.wire.keys import parse_key
from streamflow.worker.taking import begun, window

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "values.json"
PUBLIC: Final = (
    b'{"type":"start","workflow":"W","args":[1,{"a":[true,null]}],"id":"w","retry_policy":{"maximum_attempts":3}}',
    b'{"type":"signal","signal":"s","args":["x"],"run_id":"r"}',
    b'{"specversion":"1.0","id":"1","source":"s","type":"io.streamflow.signal.v1","data":{"signal":"s"}}',
)
TEXTS: Final = (b"1.2.1.5.3", b"1.a.b:1.1.2", b"1:0.1.1")
MIB: Final = 1 << 20
GROWN_MIB_MAX: Final = 256
"""So much more than before the decoders' process may take at its peak: whatever ran in it earlier is not theirs."""


def _peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def samples() -> list[bytes]:
    """One or more of each record that we write."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return [bytes.fromhex(s["hex"]) for schema in golden.values() for s in schema["samples"]]


def damaged(chance: random.Random, whole: bytes, other: bytes) -> bytes:
    value = bytearray(whole)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        at = chance.randrange(len(value) + 1)
        match chance.randrange(7):
            case 0 if value:
                value[at % len(value)] ^= 1 << chance.randrange(8)
            case 1:
                del value[at:]
            case 2:
                value[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 3:
                value[at : at + chance.randrange(1, 9)] = b""
            case 4:
                value[at : at + 9] = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f"
            case 5:
                value[at:] = other[at:]
            case _:
                value[at:at] = value[max(0, at - 16) : at] * chance.randrange(1, 4)
    return bytes(value)


def _inbox(value: bytes) -> object:
    return decode_inbox(Record("default.q.inbox", 0, 0, b"w", value, (), 0))


def _reply(value: bytes) -> object:
    headers = (("sf-request-id", b"1"),)
    return decode_reply(Record("default.replies", 0, 0, None, value, headers, 0))


def _spans(value: bytes) -> object:
    text = value.decode("utf-8", "replace")
    return window.decode(5, text), begun.decode(5, text.rpartition(":")[2])


BINARY: Final[tuple[Callable[[bytes], object], ...]] = (codec.decode, _inbox, _reply)
SMALL: Final[tuple[Callable[[bytes], object], ...]] = (parse_key, unpack)


def fuzz(inputs: int, seed: int) -> list[str]:
    """Gives so many damaged inputs to the decoders that could meet them; what came out but a value or a refusal."""
    chance = random.Random(seed)
    known, found = tuple(samples()), list[str]()
    before = _peak_mib()
    readers: tuple[Callable[[bytes], object], ...]
    pool: tuple[bytes, ...]
    for number in range(inputs):
        kind = number % 8
        if kind < 5:
            readers, pool = BINARY, known
        elif kind == 5:
            readers, pool = (_inbox,), PUBLIC
        elif kind == 6:
            readers, pool = SMALL, known
        else:
            readers, pool = (_spans,), TEXTS
        value = damaged(chance, chance.choice(pool), chance.choice(pool))
        read = readers[number % len(readers)]
        try:
            read(value)
        except Undecodable:
            pass
        except Exception as error:  # whatever else it is, it is what is looked for
            found.append(f"{_name(read)}({value!r}): {error!r}")
    grown = _peak_mib() - before
    if grown > GROWN_MIB_MAX:
        found.append(f"the decoders' process grew by {grown} MiB")
    return found


def _name(read: Any) -> str:
    return f"{read.__module__}.{read.__name__}"
