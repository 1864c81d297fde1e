"""The mock cluster inside the client library, through its C API: brokers in this process that can be told to fail.

It knows no isolation and writes no markers, so nothing is claimed of Kafka with it: only of what the client library makes of
a broker's errors, and of what we make of that. The C API is rdkafka_mock.h's, as exported by the library's wheel.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import confluent_kafka

PRODUCE = 0
LIST_OFFSETS = 2
OFFSET_FETCH = 9
FIND_COORDINATOR = 10
INIT_PRODUCER_ID = 22
ADD_PARTITIONS_TO_TXN = 24
ADD_OFFSETS_TO_TXN = 25
END_TXN = 26
TXN_OFFSET_COMMIT = 28
"""Requests, by Kafka's API keys."""

_PRODUCER = 0
_NO_ERROR = 0


def _library() -> Any:
    folder = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")
    [file] = folder.glob("librdkafka-*.so*")
    library: Any = ctypes.CDLL(str(file))
    for name, result in (
        ("rd_kafka_conf_new", ctypes.c_void_p),
        ("rd_kafka_new", ctypes.c_void_p),
        ("rd_kafka_mock_cluster_new", ctypes.c_void_p),
        ("rd_kafka_mock_cluster_bootstraps", ctypes.c_char_p),
        ("rd_kafka_mock_get_requests", ctypes.POINTER(ctypes.c_void_p)),
        ("rd_kafka_mock_cluster_destroy", None),
        ("rd_kafka_destroy", None),
    ):
        getattr(library, name).restype = result
    return library


class MockCluster:
    """Closed when it is left."""

    def __init__(self, brokers: int = 1) -> None:
        self._library = _library()
        why = ctypes.create_string_buffer(512)
        conf = ctypes.c_void_p(self._library.rd_kafka_conf_new())
        self._client = ctypes.c_void_p(
            self._library.rd_kafka_new(_PRODUCER, conf, why, ctypes.c_size_t(len(why)))
        )
        assert self._client.value, why.value
        self._cluster = ctypes.c_void_p(
            self._library.rd_kafka_mock_cluster_new(self._client, brokers)
        )
        assert self._cluster.value

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._client)

    @property
    def bootstrap(self) -> str:
        told: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return told.decode()

    def make_topic(self, name: str, partitions: int) -> None:
        self._library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)

    def fail(self, request: int, errors: Sequence[int]) -> None:
        """The next requests of this kind are answered with these errors, one each."""
        array = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, ctypes.c_int16(request), ctypes.c_size_t(len(errors)), array
        )

    def clear(self, request: int) -> None:
        self._library.rd_kafka_mock_clear_request_errors(self._cluster, ctypes.c_int16(request))

    def delay(self, broker: int, round_trip_ms: int) -> None:
        """Of all answers of this broker from now on."""
        self._library.rd_kafka_mock_broker_set_rtt(self._cluster, broker, round_trip_ms)

    def delay_next(
        self, broker: int, request: int, round_trip_ms: int, error: int = _NO_ERROR
    ) -> None:
        """Of the answer to the next request of this kind only, which may be an error."""
        self._library.rd_kafka_mock_broker_push_request_error_rtts(
            self._cluster,
            ctypes.c_int32(broker),
            ctypes.c_int16(request),
            ctypes.c_size_t(1),
            ctypes.c_int(error),
            ctypes.c_int(round_trip_ms),
        )

    def listen(self) -> None:
        """From now on requests are kept for `heard`."""
        self._library.rd_kafka_mock_start_request_tracking(self._cluster)

    def heard(self, request: int) -> int:
        """How many requests of this kind came."""
        count = ctypes.c_size_t()
        found = self._library.rd_kafka_mock_get_requests(self._cluster, ctypes.byref(count))
        key = self._library.rd_kafka_mock_request_api_key
        return sum(key(ctypes.c_void_p(found[n])) == request for n in range(count.value))

    def stop(self, broker: int) -> None:
        self._library.rd_kafka_mock_broker_set_down(self._cluster, broker)

    def start(self, broker: int) -> None:
        self._library.rd_kafka_mock_broker_set_up(self._cluster, broker)

    def move_leader(self, topic: str, broker: int) -> None:
        """Of its first partition."""
        self._library.rd_kafka_mock_partition_set_leader(self._cluster, topic.encode(), 0, broker)

    def move_coordinator(self, transactional_id: str, broker: int) -> None:
        self._coordinate("transaction", transactional_id, broker)

    def move_group(self, group: str, broker: int) -> None:
        self._coordinate("group", group, broker)

    def _coordinate(self, kind: str, name: str, broker: int) -> None:
        self._library.rd_kafka_mock_coordinator_set(
            self._cluster, kind.encode(), name.encode(), broker
        )
