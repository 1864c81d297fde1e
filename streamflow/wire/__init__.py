"""Bytes: what every record of streamflow looks like on a topic, and how hostile bytes are kept out.

A value is Avro with single-object encoding; its schema is a file of ``schemas/``, found by fingerprint. The way of a
record through this package:

- ``keys``, ``header``: the key and the fixed header of a history record
- ``events``, ``entities``: facts to bytes and back
- ``inbox``, ``envelope``: requests, answers and dead letters, with their headers
- ``public`` (messages), ``public_reading``, ``public_commands``, ``cloudevents``, ``framing``: what outsiders say
- ``codec``, ``encoder``, ``decoder``: a schema and a Struct compiled into one function each way
- ``schema``, ``catalog``, ``derive``, ``generate``, ``files``: where the schemas come from
"""
