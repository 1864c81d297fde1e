"""Names of topics and consumer groups. Dots only separate: a queue's name is encoded so that it has none.

A queue may be called anything; in names every byte outside ``A-Z a-z 0-9 -`` of its UTF-8 becomes ``_XX``. A longer result
than 120 characters is cut and ends in ``__`` and a hash. No two queues share a name in either form.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b
from typing import Final

ENCODED_MAX: Final = 120
NAMESPACE_MAX: Final = 63
_HASH_BYTES: Final = 16
_NAMESPACE: Final = re.compile(r"[a-z0-9-]+")
_PLAIN: Final = re.compile(r"[A-Za-z0-9-]{1,120}")


@lru_cache(maxsize=4_096)
def encode_queue(queue: str) -> str:
    """The queue as it stands in names of topics and groups."""
    if _PLAIN.fullmatch(queue):
        return queue
    if not queue:
        raise ValueError("Expected a queue name, found an empty one")
    raw = queue.encode()
    encoded = "".join(chr(byte) if _is_plain(byte) else f"_{byte:02X}" for byte in raw)
    if len(encoded) <= ENCODED_MAX:
        return encoded
    digest = blake2b(raw, digest_size=_HASH_BYTES).hexdigest()
    return f"{encoded[: ENCODED_MAX - 2 - len(digest)]}__{digest}"


def _is_plain(byte: int) -> bool:
    return byte == 0x2D or (byte < 0x80 and chr(byte).isalnum())


def check_namespace(namespace: str) -> str:
    """The namespace, if it may be one.

    Raises:
        ValueError: it may not.
    """
    if len(namespace) > NAMESPACE_MAX or not _NAMESPACE.fullmatch(namespace):
        raise ValueError(
            f"Expected a namespace of a-z, 0-9 and '-', at most {NAMESPACE_MAX} characters, found {namespace!r}"
        )
    return namespace


def inbox_topic(namespace: str, queue: str) -> str:
    return f"{namespace}.{encode_queue(queue)}.inbox"


def history_topic(namespace: str, queue: str) -> str:
    return f"{namespace}.{encode_queue(queue)}.history"


def activities_topic(namespace: str, queue: str) -> str:
    return f"{namespace}.{encode_queue(queue)}.activities"


def executions_topic(namespace: str) -> str:
    return f"{namespace}.executions"


def replies_topic(namespace: str) -> str:
    return f"{namespace}.replies"


def dead_letters_topic(namespace: str) -> str:
    return f"{namespace}.dead-letters"


def audit_topic(namespace: str) -> str:
    return f"{namespace}.audit"


def processes_topic(namespace: str) -> str:
    return f"{namespace}.processes"


def queues_topic(namespace: str) -> str:
    return f"{namespace}.queues"


def processor_group(namespace: str, queue: str) -> str:
    return f"{namespace}.{encode_queue(queue)}.processor"


def activity_group(namespace: str, queue: str) -> str:
    return f"{namespace}.{encode_queue(queue)}.workers"
