"""The log over Apache Kafka 4.0 or later, by way of librdkafka.

Here alone the client library is known: its errors become those of `streamflow.ports`, by code and never by flags
alone, and its traps are met once. Everything else of streamflow sees ports.
"""

from streamflow.kafka.log import KafkaLog

__all__ = ["KafkaLog"]
